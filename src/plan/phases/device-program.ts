/**
 * A device policy as a BPF program of type CGROUP_DEVICE, which is what cgroup v2 has instead of devices.allow.
 * The context is three u32: type in the low and access in the high half of the first, then major, minor.
 */
import { deviceAccess } from '../../tables/cgroup-devices.js';
import type { DevicePolicy } from './cgroup-devices.js';

/** One instruction: opcode, registers (source in the high nibble), 16-bit jump offset, 32-bit immediate. */
type Instruction = readonly [code: number, registers: number, offset: number, immediate: number];

const loadWord = 0x61;
const andImmediate32 = 0x54;
const shiftRight32 = 0x74;
const moveImmediate = 0xb7;
const jump = 0x05;
const jumpIfNot = 0x55;
const jumpIfBits = 0x45;
const exit = 0x95;

// What the registers hold after the prologue.
const context = 1;
const deviceType = 2;
const wanted = 3;
const majorNumber = 4;
const minorNumber = 5;

const typeNumbers = { b: 1, c: 2 } as const;

const prologue: readonly Instruction[] = [
  [loadWord, (context << 4) | deviceType, 0, 0],
  [andImmediate32, deviceType, 0, 0xffff],
  [loadWord, (context << 4) | wanted, 0, 0],
  [shiftRight32, wanted, 0, 16],
  [loadWord, (context << 4) | majorNumber, 4, 0],
  [loadWord, (context << 4) | minorNumber, 8, 0],
];

const answer = (allow: boolean): Instruction[] => [
  [moveImmediate, 0, 0, allow ? 1 : 0],
  [exit, 0, 0, 0],
];

/** What one rule does with a request that is for its device; falls off its end when the rule leaves bits open. */
function verdict(allow: boolean, access: number): Instruction[] {
  if (access === deviceAccess.all) return answer(allow);
  if (!allow) return [[jumpIfBits, wanted, 1, access], [jump, 0, 2, 0], ...answer(false)];
  // Allowed bits are taken off the request; when none is left, all of it is allowed.
  return [[andImmediate32, wanted, 0, deviceAccess.all & ~access], [jumpIfNot, wanted, 2, 0], ...answer(true)];
}

/**
 * Builds the program. Rules are tried from the last to the first, so that the last one that matches decides,
 * bit by bit: "allow r, then allow w" allows an open for both.
 */
export function buildDeviceProgram({ allowByDefault, rules }: DevicePolicy): Uint8Array {
  const program: Instruction[] = prologue.slice();
  for (let i = rules.length - 1; i >= 0; i--) {
    const { allow, type, major, minor, access } = rules[i]!;
    const body = verdict(allow, access);
    const tests: [register: number, value: number][] = [[deviceType, typeNumbers[type]]];
    if (major !== -1) tests.push([majorNumber, major]);
    if (minor !== -1) tests.push([minorNumber, minor]);
    for (let t = 0; t < tests.length; t++) {
      program.push([jumpIfNot, tests[t]![0], tests.length - t - 1 + body.length, tests[t]![1]]);
    }
    program.push(...body);
  }
  program.push(...answer(allowByDefault));
  return encode(program);
}

function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < program.length; i++) {
    const [code, registers, offset, immediate] = program[i]!;
    view.setUint8(i * 8, code);
    view.setUint8(i * 8 + 1, registers);
    view.setInt16(i * 8 + 2, offset, true);
    view.setInt32(i * 8 + 4, immediate, true);
  }
  return bytes;
}
