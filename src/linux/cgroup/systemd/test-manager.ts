/**
 * A stand-in for systemd on a bus of its own: answers what the driver calls, and prints every call as a line of JSON.
 * Run as a program: ADDRESS SCENARIO.
 */
import { type NativeValue, openLibrary } from '../../../host/ffi.js';

const library = openLibrary('libsystemd.so.0');
const pointer = 'uint64_t';

function native(name: string, result: string, types: readonly string[]): (...values: NativeValue[]) => NativeValue {
  return library.bind(name, result, types);
}

const stringAt = openLibrary(null).bind<string>('strstr', 'str', [pointer, 'str']);
const fresh = (): Uint8Array => new Uint8Array(8);
const numberIn = (bytes: Uint8Array): bigint => new DataView(bytes.buffer).getBigUint64(0, true);
const code = (letter: string): number => letter.charCodeAt(0);

const peekType = native('sd_bus_message_peek_type', 'int', [pointer, 'void *', 'void *']);
const enter = native('sd_bus_message_enter_container', 'int', [pointer, 'int8_t', 'str']);
const leave = native('sd_bus_message_exit_container', 'int', [pointer]);
const readBasic = native('sd_bus_message_read_basic', 'int', [pointer, 'int8_t', 'void *']);
const appendBasic = native('sd_bus_message_append_basic', 'int', [pointer, 'int8_t', 'void *']);
const openContainer = native('sd_bus_message_open_container', 'int', [pointer, 'int8_t', 'str']);
const closeContainer = native('sd_bus_message_close_container', 'int', [pointer]);
const newReturn = native('sd_bus_message_new_method_return', 'int', [pointer, 'void *']);
const newSignal = native('sd_bus_message_new_signal', 'int', [pointer, 'void *', 'str', 'str', 'str']);
const replyError = native('sd_bus_reply_method_errorf', 'int', [pointer, 'str', 'str']);
const send = native('sd_bus_send', 'int', [pointer, pointer, 'void *']);
const member = native('sd_bus_message_get_member', 'str', [pointer]);
const isCall = native('sd_bus_message_is_method_call', 'int', [pointer, 'void *', 'void *']);

/** Reads one value of any type; undefined at the end of a container. */
function readValue(message: bigint): unknown {
  const type = fresh();
  const contents = fresh();
  if (Number(peekType(message, type, contents)) <= 0) return undefined;
  const letter = String.fromCharCode(type[0]!);
  const bytes = fresh();
  if ('arv'.includes(letter)) {
    enter(message, code(letter), stringAt(numberIn(contents), ''));
    const items: unknown[] = [];
    for (let item = readValue(message); item !== undefined; item = readValue(message)) items.push(item);
    leave(message);
    return letter === 'v' ? [stringAt(numberIn(contents), ''), items[0]] : items;
  }
  readBasic(message, code(letter), bytes);
  const view = new DataView(bytes.buffer);
  if ('sog'.includes(letter)) return stringAt(numberIn(bytes), '');
  if ('tx'.includes(letter)) return String(letter === 't' ? view.getBigUint64(0, true) : view.getBigInt64(0, true));
  if (letter === 'd') return view.getFloat64(0, true);
  if (letter === 'y') return view.getUint8(0);
  return letter === 'b' ? view.getInt32(0, true) !== 0 : view.getInt32(0, true);
}

const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\0`);

function reply(bus: bigint, message: bigint, type: string, value = ''): void {
  const answer = fresh();
  newReturn(message, answer);
  if (type.startsWith('v')) {
    openContainer(numberIn(answer), code('v'), type.slice(1));
    appendBasic(numberIn(answer), code(type.slice(1)), text(value));
    closeContainer(numberIn(answer));
  } else if (type !== '') appendBasic(numberIn(answer), code(type), text(value));
  send(bus, numberIn(answer), null);
}

function jobRemoved(bus: bigint, job: string, unit: string, result: string): void {
  const signal = fresh();
  newSignal(bus, signal, '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager', 'JobRemoved');
  const message = numberIn(signal);
  appendBasic(message, code('u'), new Uint8Array([7, 0, 0, 0, 0, 0, 0, 0]));
  for (const [type, value] of [
    ['o', job],
    ['s', unit],
    ['s', result],
  ] as const)
    appendBasic(message, code(type), text(value));
  send(bus, message, null);
}

const job = '/org/freedesktop/systemd1/job/7';
let starts = 0;

/** What the scenario answers to a call. */
function answer(bus: bigint, message: bigint, name: string, scenario: string, values: unknown[]): void {
  const unit = String(values[0]);
  if (name === 'Get') reply(bus, message, 'vs', scenario === 'old' ? '239' : '252 (252.38-1~deb12u1)');
  else if (name === 'StartTransientUnit') {
    starts++;
    const properties = values[2] as [string, unknown][];
    if (scenario === 'exists' && starts === 1) {
      replyError(message, 'org.freedesktop.systemd1.UnitExists', 'Unit was already loaded or has a fragment file.');
    } else if (scenario === 'unknown' && properties.some(([property]) => property === 'IOAccounting')) {
      replyError(
        message,
        'org.freedesktop.DBus.Error.PropertyReadOnly',
        'Cannot set property IOAccounting, or unknown property.',
      );
    } else if (scenario === 'denied')
      replyError(message, 'org.freedesktop.DBus.Error.AccessDenied', 'Interactive authentication required.');
    else {
      reply(bus, message, 'o', job);
      jobRemoved(bus, '/org/freedesktop/systemd1/job/1', 'other.scope', 'failed');
      jobRemoved(bus, job, unit, scenario === 'failed' ? 'failed' : 'done');
    }
  } else if (name === 'StopUnit') {
    if (scenario === 'gone') replyError(message, 'org.freedesktop.systemd1.NoSuchUnit', 'Unit not loaded.');
    else {
      reply(bus, message, 'o', job);
      jobRemoved(bus, job, unit, 'done');
    }
  } else if (name === 'ResetFailedUnit' && scenario === 'gone') {
    replyError(message, 'org.freedesktop.systemd1.NoSuchUnit', 'Unit not loaded.');
  } else reply(bus, message, '');
}

function serve(address: string, scenario: string): void {
  const out = fresh();
  native('sd_bus_new', 'int', ['void *'])(out);
  const bus = numberIn(out);
  native('sd_bus_set_address', 'int', [pointer, 'str'])(bus, address);
  native('sd_bus_set_bus_client', 'int', [pointer, 'int'])(bus, 1);
  native('sd_bus_start', 'int', [pointer])(bus);
  native('sd_bus_request_name', 'int', [pointer, 'str', 'uint64_t'])(bus, 'org.freedesktop.systemd1', 0);
  process.stdout.write('ready\n');
  const processBus = native('sd_bus_process', 'int', [pointer, 'void *']);
  const wait = native('sd_bus_wait', 'int', [pointer, 'uint64_t']);
  for (;;) {
    const received = fresh();
    if (Number(processBus(bus, received)) < 0) return;
    const message = numberIn(received);
    if (message === 0n) {
      wait(bus, 50_000);
      continue;
    }
    if (Number(isCall(message, null, null)) <= 0) continue;
    const values: unknown[] = [];
    for (let value = readValue(message); value !== undefined; value = readValue(message)) values.push(value);
    const name = String(member(message));
    process.stdout.write(`${JSON.stringify([name, ...values])}\n`);
    answer(bus, message, name, scenario, values);
  }
}

const [, , address, scenario] = process.argv;
if (address?.startsWith('unix:')) serve(address, scenario ?? '');
