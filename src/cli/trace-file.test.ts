/** `--trace` on the real thing: what a trace has, when there is one, and that it costs nothing when there is none. Needs root. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { containerSuite, type TestContainer } from '../executor/test-container.js';
import { executorPath } from '../host/executor.js';
import { analyse } from '../trace/analyse.js';
import { readTrace, type Trace } from '../trace/format.js';
import { Browser, chromium } from '../trace/test-browser.js';
import { columnsOf } from './terminal.js';
import { inTerminal } from './test-terminal.js';

const { tests, test } = containerSuite('trace');

const fileOf = ({ folder }: TestContainer): string => join(folder, 'trace.json');
const read = (container: TestContainer): Trace => readTrace(readFileSync(fileOf(container), 'utf8'), 'trace');
const run = (container: TestContainer, ...more: string[]) =>
  container.tsrun(['run', '--trace', fileOf(container), '-b', container.folder, ...more, container.id]);
const hook = { path: '/bin/sleep', args: ['sleep', '0.02'] };

/** Lanes are threads: what is in one lies one after the other, or one in the other. */
function nests({ events }: Trace): void {
  for (const lane of new Set(events.map((event) => event.lane))) {
    const open: number[] = [];
    for (const { begin, end, name } of events.filter((event) => event.lane === lane)) {
      while (open.length > 0 && open.at(-1)! <= begin + 1e-6) open.pop();
      assert.ok(
        open.every((outer) => end <= outer + 1e-5),
        `${lane}: ${name}`,
      );
      open.push(end);
    }
  }
}

test('run: every lane, waits, a hook, the filter, execve; the path is whole', (container) => {
  container.prepare('exit 3', {
    spec: { hooks: { createRuntime: [hook] } },
    // Whoever asked a clock behind it would be dead.
    linux: {
      seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['clock_gettime'], action: 'SCMP_ACT_KILL' }] },
    },
  });
  assert.equal([run(container).status], [3]);
  const trace = read(container);
  nests(trace);
  const { events, about } = trace;
  assert.equal([about.command, about.id, about.outcome, about.dropped], ['run', container.id, 'done', 0]);
  assert.equal([...new Set(events.map(({ lane }) => lane))].sort(), ['engine', 'hooks', 'host', 'init']);
  const of = (name: RegExp) => events.find((event) => name.test(event.name));
  assert.is(of(/^mount proc on \/proc$/)?.pointer, '/mounts/0');
  assert.ok(of(/createRuntime/)!.end - of(/createRuntime/)!.begin >= 20);
  for (const name of [
    /^read and check config/,
    /^compile the plan/,
    /^encode/,
    /^write the state files/,
    /^wait for engine/,
    /^wait for init/,
    /^wait for host/,
    /the kernel executes/,
    /^remove the state/,
  ])
    assert.ok(of(name), String(name));
  const filter = of(/load the seccomp filter/)!;
  const executed = of(/the kernel executes/)!;
  const runs = of(/the program runs/)!;
  assert.ok(
    filter.end >= filter.begin && executed.begin >= filter.end - 0.05 && executed.begin <= runs.begin,
    'the counter goes with the clock',
  );
  const { path, begin, goal } = analyse(trace);
  const onPath = path.reduce((sum, piece) => sum + piece.end - piece.begin, 0);
  assert.ok(onPath > 0.9 * (goal - begin), `${onPath} of ${goal - begin}`);
});

test('create, start and exec', (container) => {
  assert.is(container.create('sleep 60').status, 0);
  container.tsrun(['delete', '-f', container.id]);
  const shell = ['sh', '-c', 'exec "$@" >/dev/null 2>&1', 'sh'];
  assert.is(
    container.tsrun(['--trace', fileOf(container), 'create', '-b', container.folder, container.id], shell).status,
    0,
  );
  assert.is(read(container).about.command, 'create');
  assert.not.ok(read(container).events.some(({ kind }) => kind === 'runs'));
  assert.is(container.tsrun(['--trace', fileOf(container), 'start', container.id]).status, 0);
  assert.is(read(container).about.command, 'create', 'start leaves it alone');
  for (let i = 0; i < 3; i++) {
    const { status } = container.tsrun([
      'exec',
      '--trace',
      join(container.folder, '%c-%i-%p.json'),
      container.id,
      'sh',
      '-c',
      'exit 4',
    ]);
    assert.is(status, 4);
  }
  const names = spawnSync('ls', [container.folder], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((name) => name.startsWith('exec-'));
  assert.is(names.length, 3, names.join());
  const trace = readTrace(readFileSync(join(container.folder, names[2]!), 'utf8'), 'x');
  nests(trace);
  assert.ok(trace.events.some(({ lane }) => lane === 'joiner') && trace.events.some(({ kind }) => kind === 'runs'));
  assert.match(trace.about.config, /"args": \["sh", "…", "…"\]/);
});

test('a start that fails has a trace up to the step', (container) => {
  container.prepare('true', { mounts: [{ destination: '/mnt', type: 'nosuch', source: 'none' }] });
  assert.is(run(container).status, 1);
  const { about, events } = read(container);
  assert.is(about.outcome, 'failed');
  const failed = events.filter(({ errno, unfinished }) => errno === 'ENODEV' && !unfinished);
  assert.equal(
    failed.map(({ pointer, name }) => [pointer, name]),
    [['/mounts/7', 'mount nosuch on /mnt']],
  );
  assert.not.ok(events.some(({ kind, begin }) => kind === 'step' && begin > failed[0]!.end));
  writeFileSync(join(container.folder, 'config.json'), '{');
  assert.is(run(container).status, 1);
  assert.equal(
    read(container)
      .events.map(({ lane }) => lane)
      .filter((lane) => lane !== 'engine'),
    [],
    'the engine alone has worked',
  );
});

test("a relative name is the caller's, wherever the plan goes", (container) => {
  container.prepare('true', { spec: { hooks: { createRuntime: [hook] } } });
  const shell = ['sh', '-c', 'cd /; cd "$0"; exec "$@"', join(container.folder, 'state-of-caller')];
  mkdirSync(join(container.folder, 'state-of-caller'));
  assert.is(container.tsrun(['run', '--trace', 'here.json', '-b', container.folder, container.id], shell).status, 0);
  const path = join(container.folder, 'state-of-caller/here.json');
  assert.is(readTrace(readFileSync(path, 'utf8'), 'x').about.outcome, 'done');
});

test('a file that cannot be written is one line, and nothing is left', (container) => {
  container.prepare('true');
  const { status, errors } = container.tsrun(['run', '--trace', '/nowhere/x', '-b', container.folder, container.id]);
  assert.is(status, 1);
  assert.match(errors, /^tsrun run [^\n]*cannot write the trace to '\/nowhere\/x': ENOENT[^\n]*$/);
  assert.is(container.tsrun(['state', container.id]).status, 1);
});

test('more steps than there is room for: how many is said', (container) => {
  // What comes twice ends a step of many.
  const readonlyPaths = Array.from({ length: 18_000 }, (_, i) => `/proc/none-${i >> 1}`);
  container.prepare('true', { linux: { readonlyPaths } });
  assert.is(run(container).status, 0);
  const { about, events } = read(container);
  assert.ok(about.dropped > 500 && events.length > 8000, `${about.dropped} dropped, ${events.length} kept`);
  assert.match(container.tsrun(['trace', fileOf(container)]).output, new RegExp(`${about.dropped} events had no room`));
});

/** What is asked once more, or less, as processes happen to meet; an engine that has said all ends itself, or is ended before it can. */
const byChance = new Set(['ppoll', 'read', 'rt_sigreturn', 'wait4', 'futex', 'restart_syscall', 'getpid', 'kill']);

test('without it: no call of any kind more, no clock, no shared memory', (container) => {
  container.prepare('true');
  const log = join(container.folder, 'strace');
  const state = join(container.folder, 'state');
  const calls = (...trace: string[]): string[] => {
    const words = ['-f', '-qq', '-o', log, executorPath(), '--root', state, 'run', ...trace];
    const { error, status } = spawnSync('strace', [...words, '-b', container.folder, container.id], {
      timeout: 60_000,
    });
    if ((error as { code?: string } | undefined)?.code === 'ENOENT') return [];
    assert.is(status, 0);
    return readFileSync(log, 'utf8').split('\n');
  };
  calls(); // makes the state root
  const [without, traced] = [calls(), calls('--trace', fileOf(container))];
  if (traced.length === 0) return;
  assert.ok(traced.some((line) => line.includes('MAP_SHARED|MAP_ANON')));
  assert.not.ok(without.some((line) => line.includes('MAP_SHARED|MAP_ANON')));
  const counts = (lines: string[]): Map<string, number> => {
    const found = new Map<string, number>();
    for (const line of lines) {
      const name = /^\d+ +([a-z][a-z0-9_]*)\(/.exec(line)?.[1];
      if (name !== undefined) found.set(name, (found.get(name) ?? 0) + 1);
    }
    return found;
  };
  const [few, many] = [counts(without), counts(traced)];
  assert.ok(few.size > 40);
  const more = [...few].filter(([name, count]) => count > (many.get(name) ?? 0) && !byChance.has(name));
  assert.equal(more, [], 'calls that only a start without a trace makes');
  // A look-up in the root has a deadline; the engine asks when it has begun, and for the date.
  const count = (of: Map<string, number>, name: string): number => of.get(name) ?? 0;
  assert.ok(count(few, 'clock_gettime') <= count(few, 'openat2') + 3);
  assert.ok(count(many, 'clock_gettime') > count(many, 'openat2') + 60);
});

test('the page in a browser: drawn, spoken, zoomed, moved through by keys, with nothing to complain about', async (container) => {
  if (chromium === undefined) return console.log('  (chromium is not installed: the page was not looked at)');
  const evil = 'x</script><script>throw new Error(1)</script>';
  container.prepare('true', {
    spec: { annotations: { [evil]: 'canary-value' }, hooks: { createRuntime: [hook] } },
    process: { env: ['PATH=/bin', 'S=canary-value'] },
  });
  assert.is(run(container).status, 0);
  const page = join(container.folder, 'page.html');
  assert.is(container.tsrun(['trace', '--html', page, fileOf(container)]).status, 0);
  assert.not.match(readFileSync(page, 'utf8') + readFileSync(fileOf(container), 'utf8'), /canary/);
  const browser = new Browser();
  mkdirSync('dist/pictures', { recursive: true });
  try {
    for (const dark of [false, true]) {
      await browser.open(page, { dark });
      await browser.until("document.querySelectorAll('.bar').length > 40");
      assert.match(String(await browser.evaluate('document.body.innerText')), /mount proc on \/proc/);
      const row =
        "[...document.querySelectorAll('#steps tr')].find((r) => r.innerText.includes('mount proc on /proc'))";
      await browser.evaluate(`${row}.querySelector('button').click()`);
      assert.match(String(await browser.evaluate("document.querySelector('.config li.chosen').innerText")), /"\/proc"/);
      assert.match(
        String(await browser.evaluate("document.getElementById('detail').innerText")),
        /mount proc on \/proc, .* \/mounts\/0, line \d+/,
      );
      const span = 'Number(timeline.dataset.to) - Number(timeline.dataset.from)';
      const before = Number(await browser.evaluate(span));
      await browser.evaluate("document.querySelector('.bar.chosen').focus()");
      await browser.press('+');
      await browser.until(`${span} < ${before}`);
      await browser.press('ArrowRight');
      assert.not.match(
        String(await browser.evaluate("document.activeElement.getAttribute('aria-label')")),
        /^mount proc/,
      );
      await browser.press('0');
      await browser.until(`Math.abs(${span} - ${before}) < 0.01`);
      await browser.evaluate(
        "timeline.dispatchEvent(new WheelEvent('wheel', { deltaY: -100, clientX: 600, bubbles: true, cancelable: true }))",
      );
      await browser.until(`${span} < ${before}`);
      await browser.evaluate("document.getElementById('start').click()");
      await browser.until(`Math.abs(${span} - ${before}) < 0.01`);
      writeFileSync(`dist/pictures/trace-${dark ? 'dark' : 'light'}.png`, await browser.screenshot());
      const heard = await browser.accessible();
      const has = (role: string, name: RegExp) =>
        assert.ok(
          heard.some((node) => node.role === role && name.test(node.name)),
          `${role} ${name}`,
        );
      has('group', /^Timeline$/);
      has('group', /^init$/);
      has('button', /^mount proc on \/proc, [0-9.]+ ms at [0-9.]+ ms, init, \/mounts\/0$/);
      has('button', /^Zoom in$/);
      has('heading', /^config\.json$/);
      assert.ok(statSync(page).size < 400_000);
    }
    assert.equal(browser.complaints, []);
  } finally {
    await browser.close();
  }
});

test('Node writes the same kind of trace as the program', (container) => {
  container.prepare('true');
  const node = spawnSync(
    process.execPath,
    [
      'src/build/run-ts.mjs',
      'src/main.ts',
      '--root',
      join(container.folder, 'state'),
      'run',
      '--trace',
      fileOf(container),
      '-b',
      container.folder,
      container.id,
    ],
    { encoding: 'utf8', timeout: 60_000 },
  );
  assert.is(node.status, 0, node.stderr);
  const under = read(container)
    .events.filter(({ kind }) => kind === 'step')
    .map(({ lane, name, pointer }) => `${lane} ${name} ${pointer}`);
  assert.is(run(container).status, 0);
  const small = read(container)
    .events.filter(({ kind }) => kind === 'step')
    .map(({ lane, name, pointer }) => `${lane} ${name} ${pointer}`);
  const only = (list: string[], other: string[]) =>
    list.filter((one) => !other.includes(one) && !/state|plan|exit|supervise|rlimit|RLIMIT/i.test(one));
  assert.equal([only(small, under), only(under, small)], [[], []]);
  assert.ok(existsSync(fileOf(container)));
});

/** The part of Chrome's own reader that we look at. */
interface DevToolsEngine {
  readonly Processor: {
    readonly TraceProcessor: {
      createWithAllHandlers(): {
        parse(events: unknown, options: object): Promise<void>;
        readonly data: {
          readonly Renderer: {
            readonly processes: Map<
              number,
              { readonly threads: Map<number, { readonly name: string; readonly entries: readonly unknown[] }> }
            >;
          };
        };
      };
    };
  };
}

test("Chrome's own reader finds the lanes and every event in them", async (container) => {
  container.prepare('true', { spec: { hooks: { createRuntime: [hook] } } });
  assert.is(run(container).status, 0);
  const name = '@paulirish/trace_engine';
  const engine = (await import(name).catch(() => undefined)) as DevToolsEngine | undefined;
  if (engine === undefined) return console.log(`  (${name} is not installed: no other reader was asked)`);
  const reader = engine.Processor.TraceProcessor.createWithAllHandlers();
  const { traceEvents } = JSON.parse(readFileSync(fileOf(container), 'utf8')) as { traceEvents: unknown };
  await reader.parse(traceEvents, { isFreshRecording: false, isCPUProfile: false });
  const [process] = [...reader.data.Renderer.processes.values()];
  const found = [...process!.threads.values()].map((thread) => `${thread.name} ${thread.entries.length}`);
  const { events } = read(container);
  const lanes = [...new Set(events.map(({ lane }) => lane))];
  const expected = lanes.map((lane) => `${lane} ${events.filter((event) => event.lane === lane).length}`);
  assert.equal(found.sort(), expected.sort());
});

test('the text of a trace fits the terminal; in a pipe its lines are as long as they are; a page is for its owner', (container) => {
  container.prepare('true');
  run(container);
  const show = `${executorPath()} trace $BUNDLE/trace.json`;
  const whole = container
    .tsrun(['trace', fileOf(container)])
    .output.trimEnd()
    .split('\n');
  const longest = Math.max(...whole.map(columnsOf));
  assert.ok(longest > 80, `${longest} columns`);
  for (const width of [50, 80]) {
    const lines = inTerminal(container, width, show).trimEnd().split('\n');
    assert.is(Math.max(...lines.map(columnsOf)), width);
    assert.is(lines.length, whole.length);
  }
  assert.is(inTerminal(container, longest, show).trimEnd(), whole.join('\n'));
  const page = join(container.folder, 'page.html');
  assert.is(container.tsrun(['trace', '--html', page, fileOf(container)]).status, 0);
  assert.is(statSync(page).mode & 0o777, 0o600);
  const fifo = join(container.folder, 'fifo');
  spawnSync('mkfifo', [fifo]);
  for (const words of [
    ['trace', '--html', fifo, fileOf(container)],
    ['plan', '--html', fifo, '--bundle', container.folder],
  ]) {
    const { status, errors } = container.tsrun(words);
    assert.is(status, 1, 'nobody reads it');
    assert.match(errors, /cannot write the page to .*fifo.*ENXIO/);
  }
});

tests.run();
