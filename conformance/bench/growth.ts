// npm run bench -- --growth: how CPU time and peak memory of a command grow with what it is given, beside the peers.
// CPU time is that of the command, of all that it waited for, and of the container's init. Writes docs/growth.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { commandLine, option } from '../../src/build/command-line.mjs';
import { defaultConfig, writeBundle } from './bundles.js';
import { curves, escapedPair } from './growth-curves.js';
import { type Cost, type Points, report } from './growth-report.js';
import { findRuntimes } from './runtimes.js';
import { call, options as common } from './options.js';
import { median } from './statistics.js';

const options = commandLine({
  name: 'growth',
  call: `${call} --growth`,
  about: 'How CPU time and peak memory of a command grow with what it is given; writes docs/growth.md.',
  options: {
    ...common,
    rounds: option.count('samples of each measurement', 5),
    // In less, the first calls, of words never seen, weigh too much.
    seconds: option.count('how long probes run, at 20 a second', 20),
  },
});
const runtimes = findRuntimes(options.runtime);
const { rounds } = options;
const work = mkdtempSync(join(tmpdir(), 'bench-growth-'));
const meter = join(work, 'measure');
const pidFile = join(work, 'init.pid');
ensureDirSync('/run/bench');
let calls = 0;

/** What one command took. @throws what it said, if it failed. */
function measure(path: string, words: readonly string[]): Cost {
  const out = join(work, 'cost');
  // Through a shell: a container keeps its stdio, so it must not be a pipe that is waited for.
  const script = `exec "$0" "$@" </dev/null >${work}/output 2>&1 3>${out}`;
  spawnSync('sh', ['-c', script, meter, path, ...words], { stdio: 'ignore', timeout: 120_000 });
  const [status = 1, , cpu = 0, peak = 0] = readFileSync(out, 'utf8').trim().split(' ').map(Number);
  if (status !== 0) throw new Error(readFileSync(`${work}/output`, 'utf8').trim().slice(0, 200) || `status ${status}`);
  return { cpu: cpu / 1000, peak };
}

/** CPU time of a process so far, in milliseconds. */
function usedBy(file: string): number {
  const pid = readFileSync(file, 'utf8').trim();
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** A state root for one container: nothing that an earlier one has left there helps. */
const freshRoot = (label: string): string => `/run/bench/${label}-${calls++}`;

function createOnce(label: string, path: string, bundle: string): Cost {
  const root = ['--root', freshRoot(label)];
  const id = `growth${calls}`;
  try {
    const cost = measure(path, [...root, 'create', '--bundle', bundle, '--pid-file', pidFile, id]);
    return { ...cost, cpu: cost.cpu + usedBy(pidFile) };
  } finally {
    spawnSync(path, [...root, 'delete', '--force', id], { stdio: 'ignore' });
    removeSync(root[1]!);
  }
}

/** The median of some samples, the runtimes in turn; a runtime that fails once is left alone from then on. */
function sample(points: Points, size: number, samples: number, once: (label: string, path: string) => Cost): void {
  const costs = new Map([...runtimes.keys()].map((label) => [label, [] as Cost[]]));
  for (let round = 0; round <= samples; round++) {
    for (const [label, path] of runtimes) {
      if (points.failures.has(`${label} at ${size}`)) continue;
      try {
        const cost = once(label, path);
        if (round > 0 || samples === 1) costs.get(label)!.push(cost); // the first one warms caches
      } catch (error) {
        points.failures.set(`${label} at ${size}`, (error as Error).message);
      }
    }
  }
  for (const [label, list] of costs) {
    if (points.failures.has(`${label} at ${size}`)) continue;
    const [cpu = 0, peak = 0] = [median(list.map((cost) => cost.cpu)), Math.max(...list.map((cost) => cost.peak))];
    points.costs.set(`${label} ${size}`, { cpu, peak });
  }
}

const emptyPoints = (name: string, sizes: readonly number[]): Points => ({
  ...{ name, sizes },
  ...{ costs: new Map(), failures: new Map() },
});

function createCurves(): Points[] {
  return curves
    .filter(({ name }) => `create: ${name}`.includes(options.only))
    .map(({ name, sizes, config }) => {
      const points = emptyPoints(`create: ${name}`, sizes);
      for (const size of sizes) {
        const bundle = writeBundle(work, `grown${calls++}`, config(size));
        const file = join(bundle, 'config.json');
        writeFileSync(file, readFileSync(file, 'utf8').replace(escapedPair, '\\ud83d\\ude00'));
        sample(points, size, rounds, (label, path) => createOnce(label, path, bundle));
        removeSync(bundle);
      }
      return points;
    });
}

function sleeper(): string {
  const config = defaultConfig();
  config.process.args = ['/bin/sleep', '1000'];
  return writeBundle(work, 'sleeper', config);
}

function startContainer(path: string, root: string, id: string): void {
  measure(path, ['--root', root, 'run', '-d', '--bundle', sleeper(), id]);
}

/** `list`, `list -q`, `state`-like commands and `exec` among so many containers. */
function amongOthers(): Points[] {
  const sizes = [1, 100, 500];
  // Ids of their own: runtimes that name cgroups by them would share one.
  const commands = [['list'], ['list', '-q'], ['exec', 'other0-{}', '/bin/true']];
  const all = commands.map(([name = '', flag = '']) =>
    emptyPoints(`${name} ${flag === '-q' ? '-q ' : ''}among containers`, sizes),
  );
  const wanted = all
    .map((points, i) => [points, commands[i]!] as const)
    .filter(([{ name }]) => name.includes(options.only));
  if (wanted.length === 0) return [];
  let present = 0;
  for (const size of sizes) {
    for (; present < size; present++)
      for (const [label, path] of runtimes) startContainer(path, `/run/bench/${label}`, `other${present}-${label}`);
    for (const [points, words] of wanted)
      sample(points, size, rounds, (label, path) =>
        measure(path, ['--root', `/run/bench/${label}`, ...words.map((word) => word.replace('{}', label))]),
      );
  }
  for (let i = 0; i < present; i++)
    for (const [label, path] of runtimes)
      spawnSync(path, ['--root', `/run/bench/${label}`, 'delete', '--force', `other${i}-${label}`], {
        stdio: 'ignore',
      });
  return wanted.map(([points]) => points);
}

/** The mean of one exec when so many probes with words of their own take turns. */
function probes(): Points[] {
  const points = emptyPoints('exec: probes of one container', [1, 5, 10, 20]);
  if (!points.name.includes(options.only)) return [];
  for (const [label, path] of runtimes) startContainer(path, `/run/bench/${label}`, `probed-${label}`);
  for (const size of points.sizes) {
    const turns = Math.max(3, Math.round((20 * options.seconds) / size));
    sample(points, size, 1, (label, path) => {
      const total = { cpu: 0, peak: 0 };
      for (let i = 0; i < turns * size; i++) {
        const cost = measure(path, [
          '--root',
          `/run/bench/${label}`,
          'exec',
          `probed-${label}`,
          '/bin/true',
          `${i % size}`,
        ]);
        total.cpu += cost.cpu / (turns * size);
        total.peak = Math.max(total.peak, cost.peak);
      }
      return total;
    });
  }
  for (const [label, path] of runtimes)
    spawnSync(path, ['--root', `/run/bench/${label}`, 'delete', '--force', `probed-${label}`], { stdio: 'ignore' });
  return [points];
}

try {
  const built = spawnSync('cc', ['-O1', '-static', '-o', meter, 'conformance/bench/measure.c'], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`bench: cc: ${built.stderr}`);
  const all = [...createCurves(), ...amongOthers(), ...probes()];
  report(all, runtimes, options.only === '' && !options['no-write']);
} finally {
  removeSync(work);
}
