import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { seccompArchs } from '../../tables/seccomp.js';
import { decodeInstructions, encodeInstructions, type Instruction, opcode } from './bpf.js';
import { enosysPrefix, lastNamed, returnEnosys } from './enosys.js';
import { interpret } from './interpret.js';

const arch = (name: string) => seccompArchs.get(`SCMP_ARCH_${name}`)!;
const fallThrough = 0x1234;

/** The prefix in front of a program that says it was reached. */
function verdicts(ages: readonly (readonly [name: string, last: number])[]) {
  const end: Instruction = { code: opcode.return, jt: 0, jf: 0, k: fallThrough };
  const prefix = enosysPrefix(ages.map(([name, last]) => ({ arch: arch(name), last })));
  const filter = encodeInstructions([...prefix, end]);
  return (name: string, nr: number) => interpret(filter, { arch: arch(name).audit, nr: nr >>> 0 });
}

test('answers ENOSYS above the newest named call and leaves the rest alone', () => {
  const ask = verdicts([['AARCH64', 439]]);
  for (const nr of [0, 1, 438, 439]) assert.is(ask('AARCH64', nr), fallThrough, `${nr}`);
  for (const nr of [440, 1000, 0x3fffffff, 0x40000000, 0xffffffff])
    assert.is(ask('AARCH64', nr), returnEnosys, `${nr}`);
});

test('leaves an architecture alone of which the profile names nothing', () => {
  const ask = verdicts([['X86', 400]]);
  assert.is(ask('AARCH64', 5000), fallThrough);
  assert.is(ask('X86', 5000), returnEnosys);
  assert.equal(enosysPrefix([]), []);
});

test('knows each architecture by its own newest call', () => {
  const ask = verdicts([
    ['X86_64', 300],
    ['X86', 400],
    ['ARM', 350],
  ]);
  assert.is(ask('X86_64', 300), fallThrough);
  assert.is(ask('X86_64', 301), returnEnosys);
  assert.is(ask('X86', 400), fallThrough);
  assert.is(ask('X86', 401), returnEnosys);
  assert.is(ask('ARM', 351), returnEnosys);
  assert.is(ask('RISCV64', 9999), fallThrough);
});

test('keeps x32 and x86-64 apart by the x32 bit', () => {
  const ask = verdicts([
    ['X86_64', 300],
    ['X32', 0x40000000 + 310],
  ]);
  assert.is(ask('X86_64', 300), fallThrough);
  assert.is(ask('X86_64', 301), returnEnosys);
  assert.is(ask('X86_64', 0x40000000 + 310), fallThrough);
  assert.is(ask('X86_64', 0x40000000 + 311), returnEnosys);
  assert.is(ask('X86_64', 0xffffffff), returnEnosys);
});

test("takes x32's own numbers for known, not for the newest", () => {
  assert.is(lastNamed(arch('X32'), [0x40000001, 0x40000000 + 520, 0x40000000 + 439]), 0x40000000 + 439);
  const ask = verdicts([['X32', 0x40000000 + 439]]);
  for (const nr of [512, 520, 547]) assert.is(ask('X32', 0x40000000 + nr), fallThrough, `${nr}`);
  for (const nr of [440, 511, 548]) assert.is(ask('X32', 0x40000000 + nr), returnEnosys, `${nr}`);
  assert.is(ask('X86_64', 439), fallThrough);
  assert.is(ask('X86_64', 5000), fallThrough);
});

test('leaves x32 calls to libseccomp when the profile has x86-64 only', () => {
  const ask = verdicts([['X86_64', 300]]);
  for (const nr of [0x3fffffff, 0x80000000]) assert.is(ask('X86_64', nr), returnEnosys, `${nr}`);
  for (const nr of [0x40000000, 0x40000fff, 0xffffffff]) assert.is(ask('X86_64', nr), fallThrough, `${nr}`);
});

test("does not take ARM's private calls for the newest, nor for unknown", () => {
  assert.is(lastNamed(arch('ARM'), [439, 983042, -10045, -1]), 439);
  const ask = verdicts([['ARM', 439]]);
  for (const nr of [439, 983041, 983045]) assert.is(ask('ARM', nr), fallThrough, `${nr}`);
  for (const nr of [440, 0xeffff, 0x100000]) assert.is(ask('ARM', nr), returnEnosys, `${nr}`);
});

test('answers ENOSYS to setup(2) of s390, which stands for every unknown call', () => {
  const ask = verdicts([
    ['S390X', 439],
    ['S390', 439],
  ]);
  for (const name of ['S390', 'S390X']) {
    assert.is(ask(name, 0), returnEnosys);
    assert.is(ask(name, 1), fallThrough);
    assert.is(ask(name, 440), returnEnosys);
  }
});

test('names nothing where only pseudo calls or none are named', () => {
  assert.is(lastNamed(arch('X86_64'), [-1, -10060]), undefined);
  assert.is(lastNamed(arch('X86_64'), []), undefined);
  assert.is(lastNamed(arch('X86_64'), [0]), 0);
});

test('works for all architectures at once', () => {
  const names = [...seccompArchs.keys()].map((name) => name.slice('SCMP_ARCH_'.length));
  const base = (name: string) => (name === 'X32' ? 0x40000000 : 0);
  const ask = verdicts(names.map((name, index) => [name, base(name) + 300 + index]));
  names.forEach((name, index) => {
    assert.is(ask(name, base(name) + 300 + index), fallThrough, name);
    assert.is(ask(name, base(name) + 301 + index), returnEnosys, name);
  });
});

test('encodes and decodes an instruction to itself', () => {
  const instructions = [{ code: 0x25, jt: 255, jf: 1, k: 0xfffffffe }];
  assert.equal(decodeInstructions(encodeInstructions(instructions)), instructions);
});

test.run();
