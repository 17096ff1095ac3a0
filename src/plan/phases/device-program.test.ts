import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceCgroup } from '../../bundle/types.js';
import { deviceAccess } from '../../tables/cgroup-devices.js';
import { type DevicePolicy, orderDeviceRules } from './cgroup-devices.js';
import { buildDeviceProgram } from './device-program.js';

interface Request {
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  readonly access: number;
}

/** Runs the program as the kernel would, refusing what its verifier refuses: bad jumps, unknown opcodes, no end. */
function run(program: Uint8Array, { type, major, minor, access }: Request): number {
  const view = new DataView(program.buffer);
  const memory = [(access << 16) | (type === 'b' ? 1 : 2), major, minor];
  const registers = new Array<number>(11).fill(Number.NaN);
  registers[1] = 0;
  const count = program.length / 8;
  for (let at = 0, steps = 0; ; at++) {
    assert.ok(at >= 0 && at < count && steps++ < 1e6, 'jumps stay inside the program');
    const code = view.getUint8(at * 8);
    const to = view.getUint8(at * 8 + 1) & 15;
    const from = view.getUint8(at * 8 + 1) >> 4;
    const offset = view.getInt16(at * 8 + 2, true);
    const immediate = view.getInt32(at * 8 + 4, true);
    if (code === 0x61) registers[to] = memory[(registers[from]! + offset) / 4]!;
    else if (code === 0x54) registers[to] = (registers[to]! & immediate) >>> 0;
    else if (code === 0x74) registers[to] = registers[to]! >>> immediate;
    else if (code === 0xb7) registers[to] = immediate;
    else if (code === 0x05) at += offset;
    else if (code === 0x55) at += registers[to] !== immediate ? offset : 0;
    else if (code === 0x45) at += (registers[to]! & immediate) !== 0 ? offset : 0;
    else if (code === 0x95) return registers[0]!;
    else assert.unreachable(`opcode ${code.toString(16)}`);
  }
}

/** What the rules mean: for each bit the last rule that matches decides. */
function meaning({ allowByDefault, rules }: DevicePolicy, request: Request): number {
  for (const bit of [1, 2, 4].filter((value) => request.access & value)) {
    let allowed = allowByDefault;
    for (const rule of rules) {
      if (rule.type !== request.type || !(rule.access & bit)) continue;
      if (rule.major !== -1 && rule.major !== request.major) continue;
      if (rule.minor !== -1 && rule.minor !== request.minor) continue;
      allowed = rule.allow;
    }
    if (!allowed) return 0;
  }
  return 1;
}

const decide = (devices: readonly DeviceCgroup[], request: Request): number =>
  run(buildDeviceProgram(orderDeviceRules(devices, '/d')), request);
const char = (major: number, minor: number, access: number = deviceAccess.all): Request => ({
  type: 'c',
  major,
  minor,
  access,
});
const denyAll: DeviceCgroup = { allow: false, access: 'rwm' };

test('S34, GHSA-g54h-m393-cpwq: without rules allows the default devices and nothing else', () => {
  for (const devices of [[], [denyAll]]) {
    assert.is(decide(devices, char(1, 3)), 1);
    assert.is(decide(devices, char(136, 7)), 1);
    assert.is(decide(devices, char(5, 1, deviceAccess.write)), 0, "the host's console");
    assert.is(decide(devices, char(4, 64)), 0);
    assert.is(decide(devices, { type: 'b', major: 8, minor: 0, access: deviceAccess.read }), 0);
    assert.is(decide(devices, { type: 'b', major: 8, minor: 0, access: deviceAccess.mknod }), 1);
  }
});

test('S34: applies the rules of the config in order, after the defaults', () => {
  const allowTty = { allow: true, type: 'c', major: 4, minor: 64, access: 'rw' } as const;
  const denyTty = { allow: false, type: 'c', major: 4, access: 'w' } as const;
  const read = char(4, 64, deviceAccess.read);
  const write = char(4, 64, deviceAccess.write);
  assert.is(decide([denyAll, allowTty], write), 1);
  assert.is(decide([denyAll, allowTty, denyTty], write), 0);
  assert.is(decide([denyAll, allowTty, denyTty], read), 1);
  assert.is(decide([denyAll, denyTty, allowTty], write), 1);
  assert.is(decide([allowTty, denyAll], write), 0);
});

test('S34: a rule of the config can take a default away', () => {
  const deny = { allow: false, type: 'c', major: 10, minor: 200, access: 'rwm' } as const;
  assert.is(decide([denyAll, deny], char(10, 200, deviceAccess.read)), 0);
  assert.is(decide([denyAll, deny], char(1, 3)), 1);
});

test('allows a request whose bits are allowed by different rules', () => {
  const one = { allow: true, type: 'b', major: 8, minor: 0, access: 'r' } as const;
  const two = { allow: true, type: 'b', major: 8, access: 'w' } as const;
  const readWrite = deviceAccess.read | deviceAccess.write;
  assert.is(decide([one, two], { type: 'b', major: 8, minor: 0, access: readWrite }), 1);
  assert.is(decide([one, two], { type: 'b', major: 8, minor: 1, access: readWrite }), 0);
});

test('allows everything to a privileged container, but for what is denied after', () => {
  const devices = [
    { allow: true, access: 'rwm' },
    { allow: false, type: 'b', major: 8, minor: 0, access: 'rwm' },
  ] as const;
  assert.is(decide(devices, { type: 'b', major: 8, minor: 1, access: deviceAccess.all }), 1);
  assert.is(decide(devices, { type: 'b', major: 8, minor: 0, access: deviceAccess.read }), 0);
});

test('reads a rule of type a with numbers as two rules', () => {
  const devices = [{ allow: true, type: 'a', major: 7, access: 'r' }] as const;
  assert.is(decide(devices, char(7, 1, deviceAccess.read)), 1);
  assert.is(decide(devices, { type: 'b', major: 7, minor: 1, access: deviceAccess.read }), 1);
  assert.is(decide(devices, { type: 'b', major: 8, minor: 1, access: deviceAccess.read }), 0);
});

test('agrees with the meaning of ten thousand random policies and requests', () => {
  let seed = 42;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  const number = (): number => random(4) - 1;
  for (let i = 0; i < 10_000; i++) {
    const policy: DevicePolicy = {
      allowByDefault: random(2) === 1,
      rules: Array.from({ length: random(8) }, () => ({
        allow: random(2) === 1,
        type: random(2) === 1 ? ('b' as const) : ('c' as const),
        major: number(),
        minor: number(),
        access: 1 + random(7),
        index: -1,
      })),
      pointer: '',
    };
    const request: Request = {
      type: random(2) === 1 ? 'b' : 'c',
      major: random(3),
      minor: random(3),
      access: 1 + random(7),
    };
    const program = buildDeviceProgram(policy);
    if (run(program, request) !== meaning(policy, request)) {
      assert.unreachable(`differs for ${JSON.stringify({ policy, request })}`);
    }
  }
});

test('has only instructions that can be reached, as the verifier demands', () => {
  const policy = orderDeviceRules([denyAll, { allow: false, type: 'c', access: 'w' }], '/d');
  const program = buildDeviceProgram(policy);
  const view = new DataView(program.buffer);
  const reached = new Set<number>();
  const follow = (from: number): void => {
    for (let at = from; !reached.has(at); at++) {
      reached.add(at);
      const code = view.getUint8(at * 8);
      if (code === 0x95) return;
      if (code === 0x05) at += view.getInt16(at * 8 + 2, true);
      else if ((code & 7) === 5) follow(at + 1 + view.getInt16(at * 8 + 2, true));
    }
  };
  follow(0);
  assert.is(reached.size, program.length / 8);
});

test.run();
