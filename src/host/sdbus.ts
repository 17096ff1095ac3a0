/**
 * D-Bus through libsystemd: method calls and signals, synchronously. Only the systemd cgroup driver comes here, so
 * neither koffi nor the library is loaded otherwise.
 */
import { fail, TsrunError } from '../errors/error.js';
import { monotonicMs } from './process.js';
import { BusError, call, created, readPointer, readString, release } from './sdbus-native.js';

/** A value of a D-Bus signature; 64-bit numbers also as decimal strings. */
export type BusValue = string | number | bigint | boolean | readonly BusValue[];

const code = (letter: string): number => letter.charCodeAt(0);

/** Bytes of a fixed-size value, as the machine has them; D-Bus booleans are ints. */
function fixed(type: string, value: BusValue): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  if (type === 'y') view.setUint8(0, Number(value));
  else if (type === 'b' || type === 'i' || type === 'u') view.setInt32(0, Number(value), true);
  else if (type === 'n' || type === 'q') view.setInt16(0, Number(value), true);
  else if (type === 'd') view.setFloat64(0, Number(value), true);
  else view.setBigInt64(0, BigInt(value as string | number | bigint), true);
  return bytes;
}

/** The first complete type of a signature: `a(ss)u` gives `a(ss)`. */
function firstType(signature: string): string {
  if (signature.startsWith('a')) return `a${firstType(signature.slice(1))}`;
  if (!signature.startsWith('(')) return signature.slice(0, 1);
  let depth = 0;
  for (let i = 0; i < signature.length; i++) {
    if (signature[i] === '(') depth++;
    if (signature[i] === ')' && --depth === 0) return signature.slice(0, i + 1);
  }
  return signature;
}

function appendAll(message: bigint, signature: string, values: readonly BusValue[]): void {
  let rest = signature;
  for (const value of values) {
    const type = firstType(rest);
    append(message, type, value);
    rest = rest.slice(type.length);
  }
}

function inside(message: bigint, kind: string, contents: string, work: () => void): void {
  call('sd_bus_message_open_container', message, code(kind), contents);
  work();
  call('sd_bus_message_close_container', message);
}

/** A variant's value is `[signature, value]`. */
function append(message: bigint, type: string, value: BusValue): void {
  if (type === 's' || type === 'o' || type === 'g') {
    const bytes = new TextEncoder().encode(`${String(value)}\0`);
    call('sd_bus_message_append_basic', message, code(type), bytes);
  } else if (type.startsWith('a')) {
    const items = value as readonly BusValue[];
    inside(message, 'a', type.slice(1), () => {
      for (const item of items) append(message, type.slice(1), item);
    });
  } else if (type.startsWith('(')) {
    const contents = type.slice(1, -1);
    inside(message, 'r', contents, () => appendAll(message, contents, value as readonly BusValue[]));
  } else if (type === 'v') {
    const [contents, inner] = value as readonly [string, BusValue];
    inside(message, 'v', contents, () => append(message, contents, inner));
  } else call('sd_bus_message_append_basic', message, code(type), fixed(type, value));
}

/** Reads basic types in order, as far as the signature says. */
function read(message: bigint, signature: string): (string | number)[] {
  const values: (string | number)[] = [];
  for (const type of signature) {
    const bytes = new Uint8Array(8);
    call('sd_bus_message_read_basic', message, code(type), bytes);
    const text = type === 's' || type === 'o';
    values.push(text ? readString(readPointer(bytes)) : new DataView(bytes.buffer).getInt32(0, true));
  }
  return values;
}

export interface Method {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Types of the arguments, and of those read from the answer (basic types only; a leading `v` is unpacked). */
  readonly input?: string;
  readonly output?: string;
}

/** A connection to a bus, or to a service itself. To be closed. */
export class Bus {
  readonly #bus: bigint;

  /** @param isBus whether a bus daemon is at the other end, which wants to be greeted. */
  constructor(address: string, isBus: boolean) {
    this.#bus = created('sd_bus_new', undefined);
    try {
      call('sd_bus_set_address', this.#bus, address);
      call('sd_bus_set_bus_client', this.#bus, isBus ? 1 : 0);
      call('sd_bus_start', this.#bus);
    } catch (error) {
      this.close();
      const errno = error instanceof TsrunError ? error.failure.errno : undefined;
      fail('TSR_BUS_CONNECT', `cannot connect to the bus at '${address}'`, errno ? { errno } : {});
    }
  }

  /** Calls a method and waits for its answer. @throws BusError */
  call(method: Method, values: readonly BusValue[], timeoutMs = 25_000): (string | number)[] {
    const { destination, path, member } = method;
    const message = created('sd_bus_message_new_method_call', this.#bus, destination, path, method.interface, member);
    try {
      appendAll(message, method.input ?? '', values);
      const reply = this.#send(message, timeoutMs);
      try {
        const output = method.output ?? '';
        if (!output.startsWith('v')) return read(reply, output);
        call('sd_bus_message_enter_container', reply, code('v'), output.slice(1));
        return read(reply, output.slice(1));
      } finally {
        release('sd_bus_message_unref', reply);
      }
    } finally {
      release('sd_bus_message_unref', message);
    }
  }

  #send(message: bigint, timeoutMs: number): bigint {
    const error = new Uint8Array(24);
    const reply = new Uint8Array(8);
    try {
      call('sd_bus_call', this.#bus, message, timeoutMs * 1000, error, reply);
    } catch (failure) {
      const [name, text] = [readString(readPointer(error)), readString(readPointer(error, 8))];
      release('sd_bus_error_free', error);
      if (name === '' || !(failure instanceof BusError)) throw failure;
      throw new BusError(name, text || name, failure.failure.errno ?? '');
    }
    return readPointer(reply);
  }

  /** Waits for a signal and reads its basic values; undefined when `accept` took none in time. */
  waitForSignal<T>(
    iface: string,
    member: string,
    signature: string,
    accept: (values: (string | number)[]) => T | undefined,
    timeoutMs: number,
  ): T | undefined {
    const deadline = monotonicMs() + timeoutMs;
    for (;;) {
      const out = new Uint8Array(8);
      const busy = call('sd_bus_process', this.#bus, out) > 0;
      const message = readPointer(out);
      if (message !== 0n) {
        try {
          if (call('sd_bus_message_is_signal', message, iface, member) > 0) {
            const accepted = accept(read(message, signature));
            if (accepted !== undefined) return accepted;
          }
        } finally {
          release('sd_bus_message_unref', message);
        }
      }
      if (busy) continue;
      const left = deadline - monotonicMs();
      if (left <= 0) return undefined;
      call('sd_bus_wait', this.#bus, Math.ceil(left) * 1000);
    }
  }

  close(): void {
    release('sd_bus_flush_close_unref', this.#bus);
  }
}
