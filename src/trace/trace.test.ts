// The format, the sums and the page's text, without a container.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeRecords } from '../executor/trace.js';
import { analyse } from './analyse.js';
import { readTrace, type Trace, type TraceEvent, writeTrace } from './format.js';
import { tracePage } from './html.js';
import { eventsOf } from './record.js';
import { layOut, lineOf, linesOf, redact } from '../html/config-text.js';
import { printTrace, traceAsData } from './text.js';

const test = suite('trace');

const about = {
  command: 'run',
  id: 'web',
  version: '0',
  pid: 7,
  time: 'now',
  outcome: 'done',
  dropped: 0,
  config: '',
} as const;
const event = (
  lane: TraceEvent['lane'],
  name: string,
  begin: number,
  end: number,
  more: Partial<TraceEvent> = {},
): TraceEvent => ({
  lane,
  kind: 'step',
  name,
  phase: name,
  begin,
  end,
  ...more,
});
const wait = (lane: TraceEvent['lane'], waitsFor: TraceEvent['lane'], begin: number, end: number): TraceEvent =>
  event(lane, `wait for ${waitsFor}`, begin, end, { kind: 'wait', waitsFor, phase: 'waits' });

/** Engine, then host, init, host while init waits, init; the program at 20. */
const sample: Trace = {
  about,
  events: [
    event('host', 'start', 0, 1),
    event('engine', 'compile', 1, 6, { kind: 'phase' }),
    event('host', 'seal', 1, 2),
    wait('host', 'engine', 2, 6.1),
    event('host', 'create', 6.1, 8, { pointer: '/linux/namespaces' }),
    wait('host', 'init', 8, 12),
    event('init', 'mount', 8.2, 12, { pointer: '/mounts/0' }),
    wait('init', 'host', 12, 15.1),
    event('host', 'hook', 12, 15),
    wait('host', 'init', 15, 20),
    event('init', 'exec', 15.1, 20, { phase: 'process' }),
    event('host', 'runs', 20, 20, { kind: 'runs' }),
    event('host', 'supervise', 20.1, 900, { phase: 'supervision' }),
  ],
};

test('what is written is read again', () => {
  const text = writeTrace(sample);
  const back = readTrace(text, 'x');
  assert.equal(back.about, { ...about });
  assert.equal(
    back.events.map(({ name }) => name),
    sample.events.map(({ name }) => name),
  );
  assert.equal(back.events[6], sample.events[6]);
});

test('what is no trace is refused in one line', () => {
  for (const text of [
    '',
    '[]',
    'null',
    '{"traceEvents":{}}',
    '{"traceEvents":[null,{"ph":"X","tid":99}],"otherData":{"command":"run"}}',
  ])
    assert.throws(() => readTrace(text, 'x'), /'x' is no trace/, text);
});

test('the critical path goes to whom everybody waited for, from the begin to the goal', () => {
  const { path, goal, reached, sums } = analyse(sample);
  assert.equal(
    path.filter(({ event: of }) => of).map(({ name }) => name),
    ['start', 'compile', 'create', 'mount', 'hook', 'exec'],
  );
  assert.is(goal, 20);
  assert.is(reached, 'the program runs');
  const onPath = path.reduce((sum, { begin, end }) => sum + end - begin, 0);
  assert.ok(Math.abs(onPath - 20) < 0.5, `${onPath} of 20 ms`);
  assert.is(sums.find(({ phase }) => phase === 'seal')?.onPath, 0, 'nobody waited for that');
});

test('a created container has not failed, although its init is still in a step', () => {
  const events = [event('host', 'start', 0, 1), event('init', 'wait for start', 1, 2, { unfinished: true })];
  const reachedWith = (outcome: 'done' | 'failed') => analyse({ about: { ...about, outcome }, events }).reached;
  assert.is(reachedWith('done'), 'the last step is done');
  assert.is(reachedWith('failed'), 'the failure');
});

test('the text names each part; data has the same', () => {
  const text = printTrace(sample);
  assert.match(text, /^tsrun run web: 20\.00 ms until the program runs\n/);
  assert.is((traceAsData(sample) as { totalMs: number }).totalMs, 20);
});

test('secrets are left out, and each pointer has its line', () => {
  const config = {
    process: { args: ['sh', 'canary'], env: ['A=canary', 'canary'.slice(0, 0)], user: { uid: 0n } },
    annotations: { a: 'canary' },
    hooks: { prestart: [{ path: '/x', args: ['x', 'canary'], env: ['B=canary'] }] },
    mounts: [{ destination: '/a~/b', options: [] }, { destination: 'x'.repeat(120) }],
    linux: { sysctl: { 'a/b': '1', c: 'y'.repeat(120) } },
  };
  const laid = layOut(redact(config));
  assert.not.match(laid.text, /canary/);
  const lines = laid.text.split('\n');
  assert.match(lines[lineOf(laid, '/mounts/1/destination')! - 1]!, /x{120}/);
  assert.match(lines[lineOf(laid, '/linux/sysctl/a~1b')! - 1]!, /"a\/b": "1"/);
  assert.is(lineOf(laid, '/mounts/0/nothing'), lineOf(laid, '/mounts/0'));
  assert.is(lineOf(laid, '/nothing'), undefined);
  const [first, last] = linesOf(laid, '/linux/sysctl')!;
  assert.match(lines[first - 1]!, /"sysctl": \{$/);
  assert.match(lines[last - 1]!, /^ {4}\}$/);
  assert.equal(JSON.parse(laid.text).process.user, { uid: 0 });
});

test('what an agent is told, and an entry of the environment that is no pair, are left out everywhere (S53)', () => {
  const config = { process: { env: ['canary'] }, linux: { seccomp: { listenerMetadata: 'canary', flags: [] } } };
  assert.equal(redact(config), {
    process: { env: ['…'] },
    linux: { seccomp: { listenerMetadata: '…', flags: [] } },
  });
});

test('nothing of a config is markup in the page', () => {
  const evil = '</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028"\'&';
  const config = layOut(redact({ annotations: { [evil]: 'x' } })).text;
  const page = tracePage({
    about: { ...about, id: evil, config },
    events: [event('init', evil, 0, 1, { pointer: evil, errno: evil })],
  });
  assert.is(page.match(/<script/g)?.length, 2, "the data and the page's own");
  assert.not.match(page, /<img|onerror="/);
});

test('records from inside are held against the plan (S39)', () => {
  const bytes = new Uint8Array(1060 + 48 + 3 * 32);
  const view = new DataView(bytes.buffer, 1060);
  view.setUint32(4, 4_000_000, true); // as many entries as a liar likes
  const put = (index: number, step: number, role: number, kind: number, state: number): void => {
    const at = 48 + index * 32;
    view.setBigUint64(at, 5_000_000n, true);
    view.setUint32(at + 16, step, true);
    view.setUint8(at + 24, role);
    view.setUint8(at + 25, kind);
    view.setUint8(at + 26, state);
  };
  put(0, 1, 2, 0, 1);
  put(1, 99, 2, 0, 1);
  put(2, 0, 77, 99, 1);
  const recorded = decodeRecords(bytes, 2);
  assert.is(recorded?.records.length, 1);
  assert.ok((recorded?.records[0]?.end ?? 0) >= 5, 'never before its begin');
  assert.is(decodeRecords(bytes.subarray(0, 1064), 2), undefined);
});

test("a moment of the processor's counter is held against the clock", () => {
  const bytes = new Uint8Array(1060 + 48 + 32);
  const view = new DataView(bytes.buffer, 1060);
  view.setUint32(4, 1, true);
  [1_000_000n, 1000n, 3_000_000n, 5000n].forEach((value, i) => {
    view.setBigUint64(16 + 8 * i, value, true);
  });
  view.setBigUint64(48, (1n << 63n) | 3000n, true);
  view.setUint8(48 + 26, 2);
  assert.equal(decodeRecords(bytes, 1)?.records[0]?.begin, 2);
});

test('a failing step that had no room is there all the same', () => {
  const steps = {
    notes: [
      ['/a', 'one'],
      ['/b', 'two'],
    ] as const,
    roles: ['host', 'init'],
    areas: ['x', 'y'],
    recorded: { records: [] },
  };
  const events = eventsOf(
    { began: 1, phases: [['compile', 2]] },
    { ...steps, failed: { step: 1, status: 'step-failed' } },
  );
  assert.equal(
    events.map(({ lane, name }) => `${lane} ${name}`),
    ['init two', 'engine compile'],
  );
});

test.run();
