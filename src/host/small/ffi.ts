/**
 * src/host/ffi.ts for the small engine, which is static and cannot load a library: a second, tiny program does (src/engine/bridge.c), which is
 * in our own file and started by the host's loader when the first library is wanted. It ends with us.
 */
import { fail } from '../../errors/error.js';
import type {
  EachFunction,
  NativeFunction,
  NativeLibrary,
  NativeValue,
  Places,
  Pointer,
  RowsFunction,
} from '../ffi.js';
import { atFdCwd, calls, door, expect, makeRoom, type Room, scratch, scratchView } from './door.js';
import { launch } from './spawn.js';
import { encode, losslessText } from './text.js';

export type { EachFunction, NativeFunction, NativeLibrary, NativeValue, Places, Pointer, RowsFunction };

const operations = { open: 1, symbol: 2, call: 3, peek: 4, text: 5, each: 6 } as const;
/** What an argument is when it is no number: bytes, which come back as the callee left them. */
const bytesKind = 1;
/** A list, and its length: texts with a NUL behind each, words, or places in what is sent. */
const kinds = { texts: 2, numbers: 3, places: 4 } as const;
const headSize = 24 + 8 * 16;
const answerSize = 16;
const mostArguments = 8;

/** Loaders and what they have to load for the bridge: the C library, which under musl is the loader itself and has to be named all the same. */
const loaders: { readonly [architecture: string]: readonly (readonly string[])[] } = {
  x64: [
    ['/lib64/ld-linux-x86-64.so.2', '--preload', 'libc.so.6'],
    ['/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2', '--preload', 'libc.so.6'],
    ['/lib/ld-musl-x86_64.so.1', '--preload', 'libc.so'],
  ],
  arm64: [
    ['/lib/ld-linux-aarch64.so.1', '--preload', 'libc.so.6'],
    ['/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1', '--preload', 'libc.so.6'],
    ['/lib/ld-musl-aarch64.so.1', '--preload', 'libc.so'],
  ],
};

let socket = -1;
let lastError = 0;

function start(): number {
  const loader = loaders[door.architecture()]?.find(
    ([path = '']) => door.call(calls.faccessat, atFdCwd, path, 1) === 0,
  );
  if (loader === undefined) {
    fail('TSR_FFI_LOAD', 'cannot load native libraries', { detail: 'no loader of glibc or musl is in /lib64 or /lib' });
  }
  const program = expect(door.call(calls.memfd_create, 'tsrun-bridge', 1), 'memfd_create');
  door.bridge(program);
  // AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC
  expect(door.call(calls.socketpair, 1, 0o2000001, 0, scratch.at), 'socketpair');
  const [ours, theirs] = [scratchView.getInt32(0, true), scratchView.getInt32(4, true)];
  launch({
    path: loader[0] ?? '',
    words: [...loader, '/proc/self/fd/4'],
    environment: [],
    streams: ['ignore', 2, theirs, program],
  });
  door.call(calls.close, theirs);
  door.call(calls.close, program);
  return ours;
}

function lost(): never {
  return fail('TSR_FFI_LOAD', 'the helper that loads native libraries has ended', {
    hint: 'is there a C library that fits this machine?',
  });
}

function send(room: Room, length: number): void {
  for (let done = 0; done < length; ) {
    const sent = door.call(calls.sendto, socket, room.at + done, length - done, 0x4000 /* MSG_NOSIGNAL */, 0, 0);
    if (sent <= 0) lost();
    done += sent;
  }
}

function receive(room: Room, length: number): void {
  for (let done = 0; done < length; ) {
    const got = door.call(calls.read, socket, room.at + done, length - done);
    if (got <= 0) lost();
    done += got;
  }
}

interface Answer {
  readonly result: bigint;
  readonly payload: Uint8Array;
}

/** A list in an argument's place, behind the bytes of the others. */
interface Listed {
  readonly kind: number;
  readonly count: number;
  readonly items: Uint8Array;
}
type Passed = bigint | Uint8Array | Listed;

/** One question and its answer. Bytes come back as the callee left them, but of a call for each of a list. */
function ask(
  operation: number,
  target: bigint,
  values: readonly Passed[],
  text?: Uint8Array,
  extra: readonly Uint8Array[] = [],
): Answer {
  if (values.length > mostArguments) throw new Error('too many arguments for the bridge');
  if (socket < 0) socket = start();
  const bytes = values.filter((value) => value instanceof Uint8Array);
  const lists = values.flatMap((value) =>
    typeof value === 'bigint' || value instanceof Uint8Array ? [] : value.items,
  );
  const parts = text === undefined ? [...bytes, ...lists, ...extra] : [text];
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const room = makeRoom(headSize + size);
  const view = new DataView(room.bytes.buffer);
  view.setUint32(0, operation, true);
  view.setUint32(4, values.length, true);
  view.setUint32(8, size, true);
  view.setBigUint64(16, target, true);
  values.forEach((value, index) => {
    const place = 24 + index * 16;
    if (typeof value === 'bigint') {
      view.setBigUint64(place, BigInt.asUintN(64, value), true);
      return;
    }
    const isBytes = value instanceof Uint8Array;
    view.setUint32(place + 8, isBytes ? bytesKind : value.kind, true);
    view.setUint32(place + 12, isBytes ? value.length : value.count, true);
  });
  let at = headSize;
  for (const part of parts) {
    room.bytes.set(part, at);
    at += part.length;
  }
  send(room, headSize + size);
  receive(scratch, answerSize);
  const result = scratchView.getBigUint64(0, true);
  lastError = scratchView.getUint32(8, true);
  const back = makeRoom(Math.max(1, scratchView.getUint32(12, true)));
  const length = scratchView.getUint32(12, true);
  receive(back, length);
  return { result, payload: back.bytes.subarray(0, length) };
}

const listed = (list: readonly string[] | readonly number[]): Listed =>
  typeof list[0] === 'string'
    ? { kind: kinds.texts, count: list.length, items: encode(`${list.join('\0')}\0`) }
    : { kind: kinds.numbers, count: list.length, items: new Uint8Array(Int32Array.from(list as number[]).buffer) };

function bindEach(symbol: bigint, varying: number): EachFunction {
  return (values, list) => {
    if (list.length === 0) return [];
    const passed = values.map((value, index) => (index === varying ? listed(list) : argument(value)));
    return [...new Int32Array(ask(operations.each, symbol, passed).payload.slice().buffer)];
  };
}

const wordsOf = (list: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(list).buffer);

/** Bytes that places are in lie behind all lists. */
function bindRows(symbol: bigint): RowsFunction {
  return (values) => {
    const lists = values.flatMap((value) =>
      Array.isArray(value) ? [value as number[]] : isPlaces(value) ? [value.places] : [],
    );
    const count = lists[0]?.length ?? 0;
    if (count === 0) return [];
    const bytes = values.reduce<number>((sum, value) => sum + (value instanceof Uint8Array ? value.length : 0), 0);
    let end = bytes + lists.length * count * 4;
    const extra: Uint8Array[] = [];
    const passed = values.map((value): Passed => {
      if (Array.isArray(value)) return { kind: kinds.numbers, count, items: wordsOf(value as number[]) };
      if (!isPlaces(value)) return argument(value as NativeValue);
      const begin = end;
      extra.push(value.bytes);
      end += value.bytes.length;
      const places = value.places.map((place) => (place < 0 ? -1 : begin + place));
      return { kind: kinds.places, count, items: wordsOf(places) };
    });
    return [...new Int32Array(ask(operations.each, symbol, passed, undefined, extra).payload.slice().buffer)];
  };
}
const isPlaces = (value: unknown): value is Places => typeof value === 'object' && value !== null && 'places' in value;

const cString = (text: string): Uint8Array => encode(`${text}\0`);

function argument(value: NativeValue): bigint | Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return cString(value);
  if (value === null || value === undefined) return 0n;
  return BigInt(value as number | bigint | boolean);
}

function textAt(pointer: bigint): string {
  const { payload } = ask(operations.text, pointer, []);
  const room = makeRoom(Math.max(1, payload.length));
  room.bytes.set(payload);
  return losslessText(room, payload.length);
}

const small = (value: bigint): number | bigint => (value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value);

function resultOf(type: string, value: bigint): NativeValue {
  if (type === 'void') return undefined;
  if (type === 'int') return Number(BigInt.asIntN(32, value));
  if (type === 'uint32_t' || type === 'unsigned int') return Number(BigInt.asUintN(32, value));
  if (type === 'long') return small(BigInt.asIntN(64, value));
  if (type === 'str') return value === 0n ? null : textAt(value);
  if (type.includes('*')) return value === 0n ? null : value;
  return small(value);
}

function bindSymbol(symbol: bigint, result: string): NativeFunction<never> {
  const call = (...values: NativeValue[]): NativeValue => {
    const passed = values.map(argument);
    const answer = ask(operations.call, symbol, passed);
    let at = 0;
    passed.forEach((bytes, index) => {
      if (!(bytes instanceof Uint8Array)) return;
      if (values[index] instanceof Uint8Array) bytes.set(answer.payload.subarray(at, at + bytes.length));
      at += bytes.length;
    });
    return resultOf(result, answer.result);
  };
  return call as NativeFunction<never>;
}

export function openLibrary(path: string | null): NativeLibrary {
  const handle = ask(operations.open, 0n, [], path === null ? new Uint8Array(0) : cString(path)).result;
  if (handle === 0n) fail('TSR_FFI_LIBRARY', `cannot load the library '${path ?? 'libc'}'`, { detail: whyNot() });
  const find = (name: string): bigint => ask(operations.symbol, handle, [], cString(name)).result;
  return {
    bind(name, result) {
      const symbol = find(name);
      if (symbol === 0n) throw new Error(`the library has no '${name}'`);
      return bindSymbol(symbol, result);
    },
    bindEach(name, _, varying) {
      const symbol = find(name);
      if (symbol === 0n) throw new Error(`the library has no '${name}'`);
      return bindEach(symbol, varying);
    },
    bindRows(name) {
      const symbol = find(name);
      if (symbol === 0n) throw new Error(`the library has no '${name}'`);
      return bindRows(symbol);
    },
    bindIfThere(name, result) {
      const symbol = find(name);
      return symbol === 0n ? undefined : bindSymbol(symbol, result);
    },
  };
}

function whyNot(): string {
  const why = openLibrary(null).bind<string>('dlerror', 'str', [])();
  return String(why ?? 'it is not there').split('\n')[0] ?? '';
}

export function readWords(pointer: Pointer, count: number): number[] {
  const { payload } = ask(operations.peek, BigInt(pointer as bigint), [BigInt(count * 4)]);
  const view = new DataView(payload.buffer, payload.byteOffset);
  return Array.from({ length: count }, (_, index) => view.getUint32(index * 4, true));
}

/** errno of the last call in the bridge. */
export const lastErrno = (): number => lastError;
export const isLoaded = (): boolean => socket >= 0;
