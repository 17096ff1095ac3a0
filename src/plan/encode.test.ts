import { decodeNotes } from '../executor/outcome.js';
import { askForTrace, lineInPlan } from '../executor/trace.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { opTable, roles, wireLimits, wireVersion } from '../generated/ops.js';
import { decodeLossless } from '../tables/lossless-text.js';
import { encodePlan } from './encode.js';
import type { Plan, Step } from './step.js';

/** Reads a plan as the executor does, strictly; what it returns has the fields' names again. */
function decode(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = Array.from({ length: 12 }, (_, i) => view.getUint32(i * 4, true));
  const [magic, version, total, stepCount, stepsAt, dataAt, dataLength, notesAt, notesLength, preserveFds] = head as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  assert.is(magic, 0x50525354);
  assert.equal(Array.from(bytes.subarray(0, 4), (b) => String.fromCharCode(b)).join(''), 'TSRP');
  assert.is(version, wireVersion);
  assert.is(total, bytes.length);
  assert.is(stepsAt, 48);
  assert.is(dataAt, stepsAt + 76 * stepCount);
  assert.is(notesAt, dataAt + dataLength);
  assert.is(total, notesAt + notesLength);
  assert.equal(head.slice(10), [0, 0]);
  const names = new Map(Object.entries(opTable).map(([name, row]) => [row[0], name]));
  const text = (at: number, length: number) => new TextDecoder().decode(bytes.subarray(at, at + length));
  const steps = Array.from({ length: stepCount }, (_, index) => {
    const at = stepsAt + index * 76;
    const op = names.get(view.getUint16(at, true)) as keyof typeof opTable;
    const row = opTable[op];
    const args: Record<string, unknown> = {};
    let number = at + 8;
    let ref = at + 36;
    for (let i = 1; i < row.length; i += 2) {
      const [name, kind] = [row[i] as string, row[i + 1]];
      if (kind === 'u32' || kind === 'slot') {
        args[name] = view.getUint32(number, true);
        number += 4;
      } else if (kind === 'u64') {
        args[name] = view.getBigUint64(number, true);
        number += 8;
      } else {
        const offset = view.getUint32(ref, true);
        const length = view.getUint32(ref + 4, true);
        ref += 8;
        assert.ok(offset + length <= dataLength);
        const start = dataAt + offset;
        if (kind === 'bytes') {
          assert.is(offset % 8, 0);
          args[name] = bytes.slice(start, start + length);
        } else if (kind === 'strings' || kind === 'paths') {
          if (length > 0) assert.is(bytes[start + length - 1], 0);
          args[name] = length === 0 ? [] : text(start, length - 1).split('\0');
        } else {
          assert.is(bytes[start + length], 0);
          args[name] = text(start, length);
          assert.not.ok((args[name] as string).includes('\0'));
        }
      }
    }
    for (; number < at + 36; number += 4) assert.is(view.getUint32(number, true), 0);
    for (; ref < at + 76; ref += 4) assert.is(view.getUint32(ref, true), 0);
    const tolerate = Array.from(bytes.subarray(at + 4, at + 8)).filter((n) => n !== 0);
    return { op, role: roles[bytes[at + 2] as number], flags: bytes[at + 3], tolerate, args };
  });
  const texts = text(notesAt, notesLength).split('\0');
  assert.is(texts.pop(), '');
  const notes = steps.map((_, i) => [texts[2 * i], texts[2 * i + 1]]);
  assert.is(texts.length, 2 * steps.length);
  return { steps, preserveFds, notes };
}

const step = (op: string, args: object, rest: object = {}) =>
  ({ op, role: 'init', pointer: '/x', summary: op, args, ...rest }) as unknown as Step;
const plan = (...steps: Step[]): Plan => ({ steps, preserveFds: 2 });
const sample = { u32: 0xfffffffe, slot: 0xffffffff, u64: 0xfedcba9876543210n, path: '/pä/th', string: '', bytes: 'é' };

/** A step of the operation with a value in each field. */
function filled(op: string): Step {
  const row = opTable[op as keyof typeof opTable];
  const args: Record<string, unknown> = {};
  for (let i = 1; i < row.length; i += 2) {
    const kind = row[i + 1] as string;
    args[row[i] as string] =
      kind === 'strings' ? ['a', '', 'ü€😀'] : kind === 'paths' ? ['/a', '/ü€😀'] : sample[kind as keyof typeof sample];
  }
  return step(op, args);
}

test('every operation comes back with all its fields', () => {
  const steps = Object.keys(opTable).map(filled);
  const back = decode(encodePlan(plan(...steps)));
  assert.is(back.preserveFds, 2);
  assert.is(back.steps.length, steps.length);
  for (const [i, got] of back.steps.entries()) {
    const want = steps[i] as Step;
    const args: Record<string, unknown> = { ...want.args };
    const row = opTable[want.op];
    for (let f = 1; f < row.length; f += 2) {
      if (row[f + 1] === 'bytes') args[row[f] as string] = new TextEncoder().encode(sample.bytes);
    }
    assert.equal(got, { op: want.op, role: 'init', flags: 0, tolerate: [], args });
  }
  assert.equal(
    back.notes,
    steps.map((s) => [s.pointer, s.summary]),
  );
});

test('pointers and summaries are read again to the last, raw bytes and lines included, and what the engine knows behind them', () => {
  const steps = ['one', 'two\nlines é', 'raw \udcff'].map((summary) => ({ ...filled('sysctl.write'), summary }));
  const notes = steps.map((s) => [s.pointer, s.summary]);
  const bytes = encodePlan(plan(...steps));
  assert.equal(decodeNotes(bytes), notes);
  assert.is(lineInPlan(bytes), '');
  const asked = askForTrace(bytes, 1, '{"a":"\\u0000é"}');
  assert.equal(decodeNotes(asked), notes);
  assert.is(lineInPlan(asked), '{"a":"\\u0000é"}');
  assert.equal(decodeNotes(new Uint8Array(0)), []);
});

test('an empty plan is a header and an empty list of notes', () => {
  const back = decode(encodePlan({ steps: [], preserveFds: 0 }));
  assert.equal(back, { steps: [], preserveFds: 0, notes: [] });
});

test('roles, alternatives and tolerated errnos are carried', () => {
  const args = { path: '/sys' };
  const back = decode(
    encodePlan(
      plan(
        step('root.attach', args, { role: 'host', orElseNext: true, tolerate: ['EPERM', 'EBUSY', 'ENOTSUP'] }),
        step('root.attach', args, { role: 'joiner' }),
      ),
    ),
  );
  assert.equal(
    back.steps.map((s) => [s.role, s.flags, s.tolerate]),
    [
      ['host', 1, [1, 16, 95]],
      ['joiner', 0, []],
    ],
  );
});

test('bytes stay bytes, and large data makes the buffer grow', () => {
  const program = Uint8Array.from({ length: 100_000 }, (_, i) => i & 255);
  const make = (odd: string) =>
    plan(
      step('process.home', { uid: 1 }),
      step('sysctl.write', { path: odd, value: 'v' }),
      step('cgroup.devices', { slot: 8, program }),
      step('process.exec', { args: ['x'.repeat(70_000)], env: [] }),
    );
  for (const odd of ['', 'a', 'abcdef', 'abcdefg']) {
    const back = decode(encodePlan(make(odd)));
    assert.equal(back.steps[2]?.args.program, program);
    assert.equal(back.steps[3]?.args, { args: ['x'.repeat(70_000)], env: [] });
  }
});

test('paths of a long list may be as long as paths may be', () => {
  for (const one of [`/${'x'.repeat(4094)}`, `/${'ä'.repeat(2047)}`])
    for (const paths of [
      [one, ...Array(40).fill('/b')],
      [...Array(700).fill('/b'), one, one, '/b', one],
    ])
      assert.equal(decode(encodePlan(plan(step('path.mask', { paths })))).steps[0]?.args, { paths });
});

test('refuses what the executor would refuse, and names the key', () => {
  const bad: [Step, RegExp][] = [
    [step('root.attach', { path: '/a\0b' }), /'path' of root.attach contains a NUL/],
    [step('root.attach', { path: '' }), /empty path/],
    [step('root.attach', { path: `/${'ä'.repeat(2048)}` }), /longer than 4095/],
    [step('root.attach', {}), /not a string/],
    [step('process.exec', { args: ['a\0'], env: [] }), /NUL/],
    [step('process.exec', { args: 'a', env: [] }), /not a list/],
    [step('process.exec', { args: [1], env: [] }), /not a string/],
    [step('root.attach', { path: '/\ud800x' }), /half a surrogate/],
    [step('root.attach', { path: '/x\udc00' }), /half a surrogate/],
    [step('path.mask', { paths: ['/a', ''] }), /'paths' of path.mask is an empty path/],
    [step('path.mask', { paths: ['/a', `/${'x'.repeat(4095)}`] }), /longer than 4095/],
    ...(
      [
        ['/a\0b', /'paths' of path.mask contains a NUL/],
        ['', /'paths' of path.mask is an empty path/],
        [`/${'ä'.repeat(2048)}`, /'paths' of path.mask is longer than 4095/],
        [`/${'x'.repeat(4095)}`, /'paths' of path.mask is longer than 4095/],
        ['/\ud800x', /'paths' of path.mask contains half/],
        [1, /'paths' of path.mask is not a list of strings/],
      ] as const
    ).flatMap(([odd, pattern]): [Step, RegExp][] => {
      const many = Array.from({ length: 1000 }, (_, i) => `/${i}`);
      const lists = [
        [odd, ...many],
        [...many, odd, ...many],
        [...many, odd],
      ];
      return lists.map((paths) => [step('path.mask', { paths }), pattern]);
    }),
    [
      step('criu.request', { request: `${'x'.repeat(2000)}\ud800` }),
      /'request' of criu.request contains half a surrogate/,
    ],
    [step('criu.request', { request: `${'x'.repeat(2000)}\0` }), /'request' of criu.request contains a NUL/],
    [step('__proto__', {}), /unknown operation/],
    [step('process.umask', { mask: -1 }), /32-bit/],
    [step('process.umask', { mask: 2 ** 32 }), /32-bit/],
    [step('process.umask', { mask: 1.5 }), /32-bit/],
    [step('process.umask', {}), /32-bit/],
    [step('process.ambient', { caps: 1 }), /64-bit/],
    [step('process.ambient', { caps: -1n }), /64-bit/],
    [step('process.ambient', { caps: 1n << 64n }), /64-bit/],
    [step('process.groups', { groups: [1] }), /neither text nor bytes/],
    [step('constructor', {}), /unknown operation/],
    [step('root.pivot', {}, { role: 'guest' }), /unknown role/],
    [step('root.pivot', {}, { tolerate: ['ENOPE'] }), /unknown errno/],
    [step('root.pivot', {}, { tolerate: ['EPERM', 'EIO', 'ENOENT', 'EBUSY', 'ENOSYS'] }), /more than 4/],
  ];
  for (const [wrong, pattern] of bad) {
    try {
      encodePlan(plan(wrong));
      assert.unreachable(String(pattern));
    } catch (error) {
      const { failure } = error as { failure: { code: string; message: string; pointer: string } };
      assert.is(failure.code, 'TSR_PLAN_ENCODE');
      assert.is(failure.pointer, '/x');
      assert.match(failure.message, pattern);
    }
  }
});

test('a text that is not ASCII has its true length, and bytes behind it stay aligned', () => {
  // U+FF01 and U+FFFD begin with the byte that also stands for half a surrogate pair.
  for (const odd of ['é', 'ééé', '\u{1f600}', 'a\u{1f600}é', '\uff01', '\ufffd\u{1f600}', '']) {
    const record = { mode: 0, descriptor: 0, path: `/${odd}`, before: odd, between: `${odd}b`, after: odd.repeat(3) };
    const exec = { args: [odd, '', odd], env: [`A=${odd}`, ''] };
    const back = decode(
      encodePlan(plan(step('file.publish', record), step('process.exec', exec), step('process.home', { uid: 1 }))),
    );
    const text = (name: string) =>
      new TextDecoder('utf-8', { fatal: true }).decode(back.steps[0]?.args[name] as Uint8Array);
    assert.equal(['before', 'between', 'after'].map(text), [odd, `${odd}b`, odd.repeat(3)]);
    assert.is(back.steps[0]?.args.path, `/${odd}`);
    assert.equal(back.steps[1]?.args, exec);
  }
});

test('a long text for bytes is there once, however many steps have it', () => {
  for (const letter of ['x', 'é']) {
    const after = letter.repeat(100_000);
    const publish = (before: string) =>
      step('file.publish', { mode: 0, descriptor: 0, path: '/p', before, between: '', after });
    const bytes = encodePlan(plan(publish('a'), publish('b'), publish('c')));
    assert.ok(bytes.length < 100_000 * (letter === 'x' ? 1 : 2) + 2000, `${bytes.length} bytes`);
    for (const [i, { args }] of decode(bytes).steps.entries()) {
      assert.is(new TextDecoder().decode(args.after as Uint8Array), after);
      assert.is(new TextDecoder().decode(args.before as Uint8Array), 'abc'[i]);
    }
  }
});

test('refuses a plan beyond the caps', () => {
  const big = step('process.exec', { args: ['x'.repeat(wireLimits.bytes)], env: [] });
  assert.throws(() => encodePlan(plan(big)), /at most 134217728 fit/);
  const steps = new Array<Step>(wireLimits.steps + 1).fill(step('root.pivot', {}));
  assert.throws(() => encodePlan({ steps, preserveFds: 0 }), /at most 1048576 fit/);
});

test('bytes of the command line that are no UTF-8 go through as they came', () => {
  const args = ['sh', `a${decodeLossless(new Uint8Array([0xff, 0xc3, 0x28]))}ü`];
  const plan = { steps: [{ op: 'process.exec', role: 'init', pointer: '', summary: '', args: { args, env: [] } }] };
  const bytes = encodePlan({ ...plan, preserveFds: 0 } as unknown as Plan);
  const wanted = [0x73, 0x68, 0, 0x61, 0xff, 0xc3, 0x28, 0xc3, 0xbc, 0];
  assert.equal(Array.from(bytes.subarray(48 + 76, 48 + 76 + wanted.length)), wanted);
});

test.run();
