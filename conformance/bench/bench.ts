// npm run bench: runs tsrun and its peers in turn on one machine and writes docs/performance.md and its chart.
// Needs root and busybox-static. It works on a host of its own (conformance/lib/isolate.sh), because crun does not start on a
// hybrid cgroup hierarchy as long as a controller is left in cgroup v2.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { commandLine, option } from '../../src/build/command-line.mjs';
import { type Config, defaultConfig, podmanSeccomp, writeBundle } from './bundles.js';
import { call as howToCall, options as common } from './options.js';
import { phaseTable, under } from './phases.js';
import { hasPodman, podmanRuns } from './podman.js';
import { printTable, writeReport } from './report.js';
import { findRuntimes } from './runtimes.js';
import { fastest, judge, median, type Row } from './statistics.js';

const options = commandLine({
  name: 'bench',
  call: howToCall,
  about: 'Runs tsrun and its peers in turn on one machine and writes docs/performance.md and its chart.',
  options: {
    ...common,
    rounds: option.count('samples of each measurement; 5 with --growth', 20),
    crun: { ...option.text('another crun, in a column of its own'), array: true, default: [] as string[] },
    podman: option.flag('measure 100 `podman run --rm` in a row, too (minutes)'),
    check: option.flag('exit 1 if tsrun misses a bar'),
    seconds: option.count('with --growth: how long probes run, at 20 a second', 20),
  },
});

if (process.env.RIG !== 'inside') {
  const script = `conformance/bench/${options.growth ? 'growth' : 'bench'}.ts`;
  const again = [process.execPath, 'src/build/run-ts.mjs', script, ...process.argv.slice(2)];
  const result = spawnSync('conformance/lib/isolate.sh', ['--', ...again], {
    stdio: 'inherit',
    env: { ...process.env, RIG: 'inside' },
  });
  process.exit(result.status ?? 1);
}

const others = options.crun.map((path, index) => `crun-${index + 2}=${path}`);
const runtimes = findRuntimes([...options.runtime, ...others]);
const { rounds } = options;
const work = mkdtempSync(join(tmpdir(), 'bench-'));
process.env.WORK = work;
mkdirSync('/run/bench'); // a tmpfs, as the runtimes' own default is
const bundle = (name: string, change: (config: Config) => void = () => {}) => {
  const config = defaultConfig();
  change(config);
  return writeBundle(work, name, config);
};
const measure = join(work, 'measure');
execFileSync('gcc', ['-O2', '-static', '-o', measure, 'conformance/bench/measure.c']);
const command = (name: string, path: string, words: string) => `${path} --root /run/bench/${name} ${words}`;

function emptyRow(name: string, unit: Row['unit'], bars: Row['bars']): Row {
  return { name, unit, bars, values: new Map(), fastest: new Map(), samples: 0, failures: new Map() };
}

/** `gone` and `untimed` are for measure.sh; `host COMMAND` is not the runtime's, and not timed. */
function withProgram(words: string, label: string, path: string): string {
  if (words.startsWith('gone ')) return words;
  if (words.startsWith('host ')) return `untimed ${words.slice(5)}`;
  const untimed = 'untimed ';
  return words.startsWith(untimed)
    ? `${untimed}${command(label, path, words.slice(untimed.length))}`
    : command(label, path, words);
}

/** Wall time of a sequence of commands; `{}` stands for a fresh id, `{runtime}` for the runtime's name. */
function timed(name: string, bars: Row['bars'], sequence: string[], samples = rounds): Row {
  const row = emptyRow(name, 'ms', bars);
  const lines = [...runtimes].map(([label, path]) =>
    [label, ...sequence.map((words) => withProgram(words, label, path))].join('\t').replaceAll('{runtime}', label),
  );
  writeFileSync(join(work, 'commands'), `${lines.join('\n')}\n`);
  const result = spawnSync('bash', ['conformance/bench/measure.sh', String(samples), join(work, 'commands')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const times = new Map([...runtimes.keys()].map((label) => [label, [] as number[]]));
  for (const line of result.stdout.trim().split('\n')) {
    const [label = '', value, text = ''] = line.split('\t');
    if (value === 'failed') row.failures.set(label, text);
    else times.get(label)?.push(Number(value) / 1000);
  }
  for (const [label, list] of times) {
    row.values.set(label, row.failures.has(label) ? undefined : median(list));
    row.fastest.set(label, row.failures.has(label) ? undefined : fastest(list));
    row.samples = Math.max(row.samples, list.length);
  }
  return row;
}

function call(label: string, path: string, words: string, timeoutMs = 10_000): string | undefined {
  const [program = '', ...rest] = command(label, path, words).split(' ');
  // The container keeps its stdio, so it must not be a pipe that is waited for.
  const result = spawnSync(program, rest, {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: timeoutMs,
  });
  return result.status === 0 ? undefined : (result.stderr ?? '').trim() || `status ${result.status}`;
}

/** What init keeps to itself while it waits for start: its dirty private pages. Clean ones are files that the kernel can drop. */
function heldMemory(): Row {
  const row = emptyRow('private memory of init while created', 'KiB', [{ factor: 1024 }]);
  const path = bundle('plain');
  for (const [label, program] of runtimes) {
    const kept: number[] = [];
    for (let i = 0; i < 5; i++) {
      const pidFile = join(work, 'held.pid');
      const log = join(work, 'held.log');
      const words = `create --bundle ${path} --pid-file ${pidFile} held${i}`;
      // Through a shell: init inherits stderr, and a pipe would stay open as long as it lives.
      const shell = spawnSync('sh', ['-c', `${command(label, program, words)} </dev/null >${log} 2>&1`]);
      if (shell.status !== 0) {
        row.failures.set(label, readFileSync(log, 'utf8').trim());
        break;
      }
      const rollup = readFileSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}/smaps_rollup`, 'utf8');
      kept.push(
        [...rollup.matchAll(/^Private_(?:Dirty|Hugetlb): +(\d+) kB$/gm)].reduce(
          (sum, match) => sum + Number(match[1]),
          0,
        ),
      );
      call(label, program, `delete --force held${i}`);
    }
    row.values.set(label, row.failures.has(label) ? undefined : median(kept));
    row.samples = Math.max(row.samples, kept.length);
  }
  return row;
}

/** The smallest power of two under which `run` of /bin/true works five times of five. */
function smallestLimit(): Row {
  const row = emptyRow('smallest memory limit that runs /bin/true', 'KiB', [{ factor: 512 }]);
  row.samples = 5;
  for (const [label, program] of runtimes) {
    for (let limit = 256; limit <= 8192; limit *= 2) {
      const path = bundle(`limit-${limit}`, (config) => {
        config.linux.resources = { memory: { limit: limit * 1024 } };
      });
      let failure: string | undefined;
      for (let i = 0; i < 5 && failure === undefined; i++) {
        const id = `limit${limit}-${i}`;
        failure = call(label, program, `run --bundle ${path} ${id}`);
        if (failure !== undefined) call(label, program, `delete --force ${id}`);
      }
      if (failure === undefined) {
        row.values.set(label, limit);
        row.failures.delete(label);
        break;
      }
      row.failures.set(label, `${limit} KiB: ${failure}`);
    }
  }
  return row;
}

/** What a command takes, itself and all that it waits for: processor time, or the largest peak of a process of its. */
function used(name: string, what: 'cpu' | 'peak', words: string, bars: Row['bars'], before = '', after = ''): Row {
  const row = emptyRow(name, what === 'cpu' ? 'ms' : 'KiB', bars);
  const samples = new Map([...runtimes.keys()].map((label) => [label, [] as number[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const [label, path] of runtimes) {
      const id = `used${round}`;
      const filled = (text: string): string => text.replaceAll('{runtime}', label).replaceAll('{}', id);
      if (before) call(label, path, filled(before));
      const [program = '', ...rest] = command(label, path, filled(words)).split(' ');
      const { output } = spawnSync(measure, [program, ...rest], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
      if (after) call(label, path, filled(after));
      const [, , cpu = 0, peak = 0] = String(output?.[3]).trim().split(' ').map(Number);
      if (round > 0) samples.get(label)?.push(what === 'cpu' ? cpu / 1000 : peak);
    }
  }
  for (const [label, list] of samples) {
    row.values.set(label, median(list));
    row.samples = Math.max(row.samples, list.length);
  }
  return row;
}

/** Commands on a container that only sleeps. */
function withSleeper(measureIt: () => Row): Row {
  startSleepers();
  const row = measureIt();
  for (const [label, program] of runtimes) call(label, program, `delete --force sleeper-${label}`);
  return row;
}

function startSleepers(): void {
  const path = bundle('sleeper', (config) => {
    config.process.args = ['/bin/sleep', '1000'];
  });
  for (const [label, program] of runtimes) {
    // An id of its own each: those who name cgroups by it would share one.
    const run = command(label, program, `run -d --bundle ${path} sleeper-${label}`);
    spawnSync('sh', ['-c', `${run} </dev/null >/dev/null 2>&1`]);
  }
}

/** exec into it: the same each time, as a probe does it, or with something new each time. */
function execTime(name: string, words: string, bars: Row['bars']): Row {
  return withSleeper(() => timed(name, bars, [`exec ${words}sleeper-{runtime} /bin/true`]));
}
function measurements(): [string, () => Row][] {
  const plain = bundle('plain');
  const seccomp = podmanSeccomp();
  const profiled = bundle('profiled', (config) => {
    if (seccomp !== undefined) config.linux.seccomp = seccomp;
  });
  const wrong = bundle('wrong', (config) => {
    config.process.args = ['/bin/not-there'];
  });
  const cycle = [`create --bundle ${plain} --pid-file ${work}/{}.pid {}`, 'start {}', 'gone {}', 'delete {}'];
  const list: [string, () => Row][] = [];
  const add = (name: string, measure: (name: string) => Row) => list.push([name, () => measure(name)]);
  const crun = (factor: number) => [{ peer: 'crun', factor }];
  const ready = `untimed create --bundle ${plain} --pid-file ${work}/{}.pid {}`;
  const away = 'untimed delete --force {}';
  add('--version', (name) => timed(name, crun(0.7), ['--version']));
  add('state', (name) => withSleeper(() => timed(name, crun(0.7), ['state sleeper-{runtime}'])));
  add('kill', (name) => withSleeper(() => timed(name, crun(0.7), ['kill sleeper-{runtime} 0'])));
  add('list', (name) => withSleeper(() => timed(name, crun(0.7), ['list'])));
  add('create', (name) => timed(name, crun(1), [ready.replace('untimed ', ''), away]));
  add('start', (name) => timed(name, crun(0.31), [ready, 'start {}', away]));
  add('delete', (name) => timed(name, crun(0.45), [ready, 'untimed start {}', 'gone {}', 'delete {}']));
  const forget = (command: string): string => `host rm -f /run/bench/{runtime}/{}/${command}-0.plan`;
  add('start, without the kept plan', (name) => timed(name, [], [ready, forget('start'), 'start {}', away]));
  add('delete, without the kept plan', (name) =>
    timed(name, [], [ready, 'untimed start {}', 'gone {}', forget('delete'), 'delete {}']),
  );
  add('run /bin/true', (name) => timed(name, crun(0.9), [`run --bundle ${plain} {}`]));
  if (seccomp !== undefined)
    add("run with podman's seccomp profile", (name) => timed(name, crun(0.5), [`run --bundle ${profiled} {}`]));
  add('create, start, delete', (name) => timed(name, crun(0.65), cycle));
  add('exec /bin/true', (name) => execTime(name, '', crun(0.48)));
  add('exec with other words each time', (name) => execTime(name, '--env N={} ', crun(0.8)));
  const create = `create --bundle ${plain} {}`;
  add('processor time of create', (name) => used(name, 'cpu', create, [], '', 'delete --force {}'));
  add('processor time of run', (name) => used(name, 'cpu', `run --bundle ${plain} {}`, []));
  add('processor time of exec, other words', (name) =>
    withSleeper(() => used(name, 'cpu', 'exec --env N={} sleeper-{runtime} /bin/true', [])),
  );
  const memory = [{ factor: 8192 }];
  add('peak memory of create', (name) => used(name, 'peak', create, memory, '', 'delete --force {}'));
  add('peak memory of exec', (name) =>
    withSleeper(() => used(name, 'peak', 'exec --env N={} sleeper-{runtime} /bin/true', memory)),
  );
  add('peak memory of state', (name) => withSleeper(() => used(name, 'peak', 'state sleeper-{runtime}', memory)));
  add('peak memory of an error that is explained', (name) => used(name, 'peak', `create --bundle ${wrong} {}`, memory));
  add('private memory of init while created', heldMemory);
  add('smallest memory limit that runs /bin/true', smallestLimit);
  if (options.podman) {
    if (!hasPodman()) throw new Error('bench: --podman needs podman');
    add('100 podman run --rm in a row', (name) => podmanRuns(name, runtimes, work, join(work, 'rootfs')));
  }
  return list.filter(([name]) => name.includes(options.only));
}

/** Of tsrun's commands that start an engine. */
function wherePhases(): string[] {
  const program = runtimes.get('tsrun');
  if (program === undefined) return [];
  const root = '/run/bench/tsrun';
  const plain = bundle('plain');
  startSleepers();
  const table = phaseTable(
    program,
    [
      {
        name: 'create',
        words: (id, trace) => under(root, 'create', '--trace', trace, '--bundle', plain, id),
        after: (id) => under(root, 'delete', '--force', id),
      },
      {
        name: 'exec, other words',
        words: (id, trace) => under(root, 'exec', '--trace', trace, '--env', `N=${id}`, 'sleeper-tsrun', '/bin/true'),
        after: () => [],
      },
    ],
    rounds,
    work,
  );
  for (const [label, path] of runtimes) call(label, path, `delete --force sleeper-${label}`);
  return table;
}

try {
  const rows = measurements().map(([, measure]) => measure());
  const names = [...runtimes.keys()];
  printTable(rows, names);
  const quick = rows
    .filter((row) => row.fastest.size > 0)
    .map((row) => ({ ...row, values: row.fastest, failures: new Map() }));
  console.log('\nthe fastest tenth, for a machine that has other work');
  printTable(quick, names);
  const phases = options.only === '' ? wherePhases() : [];
  console.log(`\n${phases.join('\n')}`);
  if (options.only === '' && !options['no-write']) writeReport(rows, runtimes, phases);
  const missed = rows.flatMap((row) =>
    judge(row, 'tsrun')
      .filter((bar) => !bar.met)
      .map((bar) => `${row.name}: ${bar.text}`),
  );
  for (const bar of missed) console.log(`missed: ${bar}`);
  process.exitCode = options.check && missed.length > 0 ? 1 : 0;
} finally {
  removeSync(work);
}
