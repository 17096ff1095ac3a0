// The black-box suite (npm run conformance). Prints TAP. A whole run also rewrites results/<runtime>.json and docs/conformance.md.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import { ensureDirSync, readJsonSync, writeJsonSync } from 'fs-extra/esm';
import { commandLine, option } from '../src/build/command-line.mjs';
import { allCases } from './cases/all.js';
import { Box, type Case, Skipped, unified } from './harness.js';
import { ignoringTest } from './ignorers.js';
import { checkReasons } from './reasons.js';
import { writeReport } from './report.js';
import { writeIndex } from './requirements.js';
import { selfTest } from './self-test.js';

const options = commandLine({
  name: 'conformance',
  call: 'npm run conformance --',
  about: 'Runs the cases of the runtime specification against a runtime.',
  options: {
    runtime: { ...option.text('its path, or a name in PATH'), default: 'dist/tsrun' },
    filter: option.list('only cases with one of these words in their name, or that of a requirement they prove'),
    only: option.list('only the cases of these names'),
    merge: option.flag('a filtered run, too, rewrites the results of its cases'),
    jobs: option.count('so many cases at once', 2),
    label: option.text("the name of the results, in place of the runtime's"),
    index: option.flag('instead: rewrite the case lists in requirements.json'),
    report: option.flag('instead: rewrite docs/conformance.md'),
    'check-reasons': option.flag('instead: name failures that reasons.json does not explain'),
    'self-test': option.flag('instead: run the cases against runtimes that do nothing'),
    'self-test-keys': option.flag('instead: run them against runtimes that ignore one key of the configuration'),
  },
});

async function runCase(runtime: string, item: Case): Promise<string> {
  const box = new Box(runtime, item.id);
  let verdict = 'ok';
  try {
    await item.check(box);
  } catch (error) {
    const text = (error as Error).message
      .replaceAll(box.dir, 'DIR')
      .replaceAll(box.id, 'ID')
      .replace(/\s+/g, ' ')
      .slice(0, 400);
    verdict = error instanceof Skipped ? `skip: ${text}` : `not ok: ${text}`;
  }
  const left = await box.close();
  if (left.length > 0 && verdict === 'ok') {
    verdict = `not ok: left behind: ${left.join(', ').replaceAll(box.id, 'ID').replaceAll(box.dir, 'DIR')}`;
  }
  return verdict;
}

async function runAll(runtime: string, cases: readonly Case[], jobs: number): Promise<Map<string, string>> {
  const verdicts = new Map<string, string>();
  let next = 0;
  console.log(`TAP version 13\n1..${cases.length}`);
  async function worker(): Promise<void> {
    while (next < cases.length) {
      const item = cases[next++]!;
      const verdict = await runCase(runtime, item);
      verdicts.set(item.id, verdict);
      const number = verdicts.size;
      if (verdict === 'ok') console.log(`ok ${number} - ${item.id}`);
      else if (verdict.startsWith('skip')) console.log(`ok ${number} - ${item.id} # SKIP ${verdict.slice(6)}`);
      else
        console.log(
          `not ok ${number} - ${item.id}\n  # ${verdict.slice(8)}${item.proves.map((id) => `\n  # ${id}`).join('')}`,
        );
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker));
  return verdicts;
}

function summarise(verdicts: ReadonlyMap<string, string>): { passed: number; failed: number; skipped: number } {
  const count = (start: string) => [...verdicts.values()].filter((verdict) => verdict.startsWith(start)).length;
  return { passed: count('ok'), failed: count('not ok'), skipped: count('skip') };
}

/** results/<runtime>.json and the report; what a filter left out keeps its last verdict. */
function keep(
  runtime: string,
  label: string,
  cases: readonly Case[],
  fresh: ReadonlyMap<string, string>,
  ms: number,
): void {
  const file = `conformance/results/${label}.json`;
  const before = existsSync(file) ? readJsonSync(file) : { seconds: 0, cases: {} };
  const all = new Map<string, string>();
  for (const { id } of cases) {
    const verdict = fresh.get(id) ?? before.cases[id];
    if (verdict !== undefined) all.set(id, verdict);
  }
  const version = spawnSync(runtime, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0] ?? '';
  const seconds = fresh.size === cases.length ? Math.round(ms / 1000) : before.seconds;
  const cgroup = unified ? 'v2' : 'v1';
  const result = { runtime: label, version, cgroup, seconds, ...summarise(all), cases: Object.fromEntries(all) };
  ensureDirSync('conformance/results');
  writeJsonSync(file, result, { spaces: 1 });
  writeReport();
}

async function main(): Promise<void> {
  const cases = allCases();
  if (options.index) return writeIndex(cases);
  if (options.report) return writeReport();
  if (options['check-reasons']) {
    const problems = checkReasons();
    for (const problem of problems) console.log(problem);
    process.exitCode = problems.length === 0 ? 0 : 1;
    return;
  }
  const given = options.runtime;
  const found = spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', given], { encoding: 'utf8' }).stdout.trim();
  const runtime = realpathSync(found === '' ? given : found);
  if (process.env.RIG !== 'inside') {
    // A host of its own: nothing of the run stays on the machine, and crun gets the spare controllers that it insists on.
    const again = [
      'conformance/lib/isolate.sh',
      '--',
      process.execPath,
      'src/build/run-ts.mjs',
      'conformance/run.ts',
      ...process.argv.slice(2),
    ];
    const inside = spawnSync('bash', again, { stdio: 'inherit', env: { ...process.env, RIG: 'inside' } });
    process.exit(inside.status ?? 1);
  }
  // Cases compare priorities, and what nice(1) gave to the suite would be inherited by the containers.
  setPriority(0);
  const words = options.filter;
  const matches = (item: Case, word: string) => item.id.includes(word) || item.proves.some((id) => id.includes(word));
  const chosen = cases
    .filter((item) => words.length === 0 || words.some((word) => matches(item, word)))
    .filter((item) => options.only.length === 0 || options.only.includes(item.id));
  const { jobs } = options;
  if (options['self-test'] || options['self-test-keys']) {
    const { noticed, blind } = options['self-test-keys']
      ? await ignoringTest(runtime, chosen, (ignorer, some) => runAll(ignorer, some, jobs))
      : await selfTest((saboteur) => runAll(saboteur, chosen, jobs));
    console.log(`${noticed} passed, ${blind} failed`);
    process.exitCode = blind === 0 ? 0 : 1;
    return;
  }
  const began = Date.now();
  const verdicts = await runAll(runtime, chosen, jobs);
  const label = `${options.label ?? basename(runtime)}${unified ? '-v2' : ''}`;
  const summary = summarise(verdicts);
  if (chosen.length === cases.length || options.merge) keep(runtime, label, cases, verdicts, Date.now() - began);
  console.log(`${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`);
  process.exitCode = summary.failed === 0 ? 0 : 1;
}

await main();
