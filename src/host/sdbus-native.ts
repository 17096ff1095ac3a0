/** libsystemd's sd-bus as it is bound: handles are numbers, a negative answer is an exception. */
import { TsrunError } from '../errors/error.js';
import { errnoName } from '../tables/errnos.js';
import { type NativeFunction, type NativeLibrary, openLibrary } from './ffi.js';

/** The D-Bus error a call was answered with. */
export class BusError extends TsrunError {
  constructor(
    /** `org.freedesktop.systemd1.UnitExists`; '' when the bus failed, not the other side. */
    readonly busName: string,
    message: string,
    errno: string,
  ) {
    super({ code: 'TSR_BUS_CALL', message, ...(errno ? { errno } : {}) });
  }
}

/** Handles are addresses: an unsigned 64-bit number passes as a pointer does. */
const handle = 'uint64_t';
const calls = {
  sd_bus_new: ['void *'],
  sd_bus_set_address: [handle, 'str'],
  sd_bus_set_bus_client: [handle, 'int'],
  sd_bus_set_method_call_timeout: [handle, 'uint64_t'],
  sd_bus_start: [handle],
  sd_bus_call: [handle, handle, 'uint64_t', 'void *', 'void *'],
  sd_bus_process: [handle, 'void *'],
  sd_bus_wait: [handle, 'uint64_t'],
  sd_bus_message_new_method_call: [handle, 'void *', 'str', 'str', 'str', 'str'],
  sd_bus_message_is_signal: [handle, 'str', 'str'],
  sd_bus_message_append_basic: [handle, 'int8_t', 'void *'],
  sd_bus_message_open_container: [handle, 'int8_t', 'str'],
  sd_bus_message_close_container: [handle],
  sd_bus_message_enter_container: [handle, 'int8_t', 'str'],
  sd_bus_message_exit_container: [handle],
  sd_bus_message_read_basic: [handle, 'int8_t', 'void *'],
} as const;
type Call = keyof typeof calls;

let library: NativeLibrary | undefined;
const bound = new Map<string, NativeFunction<number>>();

function lib(): NativeLibrary {
  library ??= openLibrary('libsystemd.so.0');
  return library;
}

/** Calls a function that answers with a negative errno on failure. */
export function call(name: Call, ...values: Parameters<NativeFunction<number>>): number {
  let bind = bound.get(name);
  if (!bind) {
    bind = lib().bind<number>(name, 'int', calls[name]);
    bound.set(name, bind);
  }
  const result = bind(...values);
  if (result < 0) throw new BusError('', `${name} failed`, errnoName(-result));
  return result;
}

export const readPointer = (bytes: Uint8Array, at = 0): bigint => new DataView(bytes.buffer).getBigUint64(at, true);

let stringAt: NativeFunction<string> | undefined;

/** The C string at an address: strstr(p, "") is p, and koffi copies a returned string. */
export function readString(pointer: bigint): string {
  if (pointer === 0n) return '';
  stringAt ??= openLibrary(null).bind<string>('strstr', 'str', [handle, 'str']);
  return stringAt(pointer, '');
}

/** Gives a new handle back through an out parameter. */
export function created(name: Call, before: bigint | undefined, ...values: string[]): bigint {
  const out = new Uint8Array(8);
  if (before === undefined) call(name, out);
  else call(name, before, out, ...values);
  return readPointer(out);
}

type Release = 'sd_bus_message_unref' | 'sd_bus_flush_close_unref' | 'sd_bus_error_free';

export function release(name: Release, value: bigint | Uint8Array): void {
  let bind = bound.get(name);
  if (!bind) {
    bind = lib().bind<number>(name, 'void *', [typeof value === 'bigint' ? handle : 'void *']);
    bound.set(name, bind);
  }
  bind(value);
}
