/** Other programs, by clone(2) and execve(2): the engine has one thread and no event loop, so a copy of it may prepare the child. */
import { errnoName } from '../../tables/errnos.js';
import { atFdCwd, calls, door, expect, makeRoom, type Room, scratch, scratchView } from './door.js';
import { encode } from './text.js';
import { isReady, waitForAny } from './wait.js';

/** Where the engine's memory lies in the process: src/engine/engine.h. */
const memory = 0x60000000;
const closeOnExec = 0o2000000;
const memfdCloseOnExec = 1; // MFD_CLOEXEC
const allowSealing = 2;
const childSignal = 17;
const pipeSignal = 13;
const duplicate = 0; // F_DUPFD

/** 'collect' is read and handed back, 'ignore' is /dev/null, a number is a descriptor of ours. */
export type Stream = 'collect' | 'ignore' | number;
export interface Wanted {
  readonly path: string;
  readonly words: readonly string[];
  readonly environment: readonly string[];
  /** For the child's standard input, which is empty without it. */
  readonly input?: Uint8Array;
  /** Its descriptors from 1 on. */
  readonly streams: readonly Stream[];
}
export interface Ended {
  /** Exit status, 128 and more for a signal's. */
  readonly status: number;
  /** What came out of the first and the second stream that was collected. */
  readonly output: Uint8Array;
  readonly errors: Uint8Array;
  /** Why there was no child; else ''. */
  readonly errno: string;
}

/** Strings as execve(2) takes them, NULL behind the last. */
function pointers(strings: readonly string[]): Room {
  const parts = strings.map((text) => encode(text, true));
  const head = (strings.length + 1) * 8;
  const room = makeRoom(parts.reduce((sum, part) => sum + part.length + 1, head));
  const view = new DataView(room.bytes.buffer);
  let at = head;
  parts.forEach((part, index) => {
    view.setBigUint64(index * 8, BigInt(memory + room.at + at), true);
    room.bytes.set(part, at);
    at += part.length + 1;
  });
  return room;
}

function inputOf(bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return nothing();
  const fd = expect(door.call(calls.memfd_create, 'input', memfdCloseOnExec | allowSealing), 'memfd_create');
  const room = makeRoom(bytes.length);
  room.bytes.set(bytes);
  for (let done = 0; done < bytes.length; )
    done += expect(door.call(calls.write, fd, room.at + done, bytes.length - done), 'write');
  door.call(calls.lseek, fd, 0, 0);
  return fd;
}
const nothing = (): number =>
  expect(door.call(calls.openat, atFdCwd, '/dev/null', 2 | closeOnExec, 0), 'open', '/dev/null');

interface Child {
  readonly pid: number;
  /** Where what it writes is read. */
  readonly readers: readonly number[];
}

/** The child's part: its descriptors, then the program. They lie aside first, as low as that goes: few may be allowed (`ulimit -n`). */
function become(path: string, words: Room, variables: Room, given: readonly number[]): void {
  const moved = given.map((fd) => door.call(calls.fcntl, fd, duplicate, given.length));
  if (moved.some((fd) => fd < 0)) door.call(calls.exit_group, 127);
  moved.forEach((fd, index) => {
    door.call(calls.dup3, fd, index, 0);
  });
  // struct sigaction of SIG_DFL: all zero.
  scratch.bytes.fill(0, 0, 32);
  door.call(calls.rt_sigaction, pipeSignal, scratch.at, 0, 8);
  door.call(calls.close_range, given.length, 0xffffffff, 0);
  door.call(calls.execve, path, words.at, variables.at);
  door.call(calls.exit_group, 127);
}

/** Starts a program and returns at once. */
export function launch({ path, words, environment, input, streams }: Wanted): Child {
  const given = [inputOf(input)];
  const readers: number[] = [];
  const ours = [given[0] as number];
  for (const stream of streams) {
    if (stream === 'collect') {
      expect(door.call(calls.pipe2, scratch.at, closeOnExec), 'pipe2');
      readers.push(scratchView.getInt32(0, true));
      given.push(scratchView.getInt32(4, true));
      ours.push(scratchView.getInt32(4, true));
    } else if (stream === 'ignore') {
      given.push(nothing());
      ours.push(given[given.length - 1] as number);
    } else given.push(stream);
  }
  const blocks = [pointers(words), pointers(environment)] as const;
  const pid = door.call(calls.clone, childSignal, 0, 0, 0, 0);
  if (pid === 0) become(path, blocks[0], blocks[1], given);
  for (const fd of ours) door.call(calls.close, fd);
  return { pid, readers };
}

const join = (parts: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/** Reads all of the pipes to their end. */
function collect(readers: readonly number[]): Uint8Array[] {
  const parts = readers.map((): Uint8Array[] => []);
  let open = readers.map((fd, index) => ({ fd, index }));
  const room = makeRoom(64 << 10);
  while (open.length > 0) {
    waitForAny(
      open.map(({ fd }) => fd),
      0x7fffffff,
    );
    const ready = open.map((_, place) => isReady(place));
    open = open.filter(({ fd, index }, place) => {
      if (!ready[place]) return true;
      const got = door.call(calls.read, fd, room.at, room.bytes.length);
      if (got > 0) parts[index]?.push(room.bytes.slice(0, got));
      if (got <= 0) door.call(calls.close, fd);
      return got > 0;
    });
  }
  return parts.map(join);
}
/** Waits for a child: its exit status, 128 and more for a signal. */
export function reap(pid: number): number {
  if (door.call(calls.wait4, pid, scratch.at, 0, 0) < 0) return 128;
  const status = scratchView.getInt32(0, true);
  return (status & 0x7f) === 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);
}

/** Runs a program to its end. */
export function spawn(wanted: Wanted): Ended {
  const { pid, readers } = launch(wanted);
  const [output = new Uint8Array(0), errors = new Uint8Array(0)] = collect(readers);
  if (pid < 0) return { status: 128, output, errors, errno: errnoName(-pid) };
  return { status: reap(pid), output, errors, errno: '' };
}
