// Counts the TAP of each program and writes results/LABEL.json. Called by run.sh.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ensureDirSync, readJsonSync, writeJsonSync } from 'fs-extra/esm';
import { commandLine } from '../../src/build/command-line.mjs';

const { out, runtime, label, results } = commandLine({
  name: 'count',
  call: 'node conformance/upstream/count.mjs',
  about:
    'Counts what the validation programs of runtime-tools said, and writes RESULTS/LABEL.json and the table of all.',
  positionals: {
    out: { demandOption: true, description: "the programs' output" },
    runtime: { demandOption: true, description: 'its path' },
    label: { demandOption: true, description: 'its name in the table; - writes nothing' },
    results: { demandOption: true, description: 'the folder of all results' },
  },
});

/** Only lines at the very start of a line are the program's own assertions; those of nested programs stand in diagnostics. */
function count(name) {
  const tap = readFileSync(`${out}/${name}.tap`, 'utf8');
  const stderr = readFileSync(`${out}/${name}.err`, 'utf8').trim();
  const [status, ms] = readFileSync(`${out}/${name}.status`, 'utf8').trim().split(' ').map(Number);
  const lines = tap.split('\n');
  const row = {
    name,
    passed: false,
    ok: 0,
    skipped: 0,
    notOk: 0,
    errors: 0,
    left: 0,
    silent: false,
    status,
    ms,
    failures: [],
  };
  let asserted = null;
  for (const line of lines) {
    const assertion = /^(not )?ok\b(?: \d+)?(.*)$/.exec(line);
    if (assertion) {
      asserted = { ok: !assertion[1], text: assertion[2].replace(/^ - /, '').trim() };
      if (!asserted.ok) {
        row.notOk++;
        row.failures.push(asserted.text);
      } else if (/^# SKIP/i.test(asserted.text)) row.skipped++;
      else row.ok++;
      continue;
    }
    // An expected error is shown below the assertion that expected it; one that stands alone is a violation.
    const error = /^ {4}"error": (".*"),?$/.exec(line);
    if (error && asserted === null) {
      row.errors++;
      row.failures.push(JSON.parse(error[1]));
    }
    if (line === '  ...') asserted = null;
  }
  row.left = readFileSync(`${out}/${name}.left`, 'utf8').split('\n').filter(Boolean).length;
  row.passed = row.ok > 0 && row.notOk === 0 && row.errors === 0 && status === 0;
  row.silent = row.ok + row.notOk + row.errors === 0 && status === 0;
  if (!row.passed && stderr)
    row.failures.push(`stderr: ${stderr.slice(-600).replaceAll(/\/tmp\/[\w./]*\/(ocitest)?\d*/g, 'BUNDLE')}`);
  if (status !== 0)
    row.failures.push(status === 124 || status === 137 ? 'did not end in time' : `exit status ${status}`);
  else if (row.silent) row.failures.push('asserts nothing');
  return row;
}

const programs = readdirSync(out)
  .filter((file) => file.endsWith('.status'))
  .map((file) => count(file.slice(0, -'.status'.length)));
const sum = (key) => programs.reduce((total, row) => total + row[key], 0);
const summary = {
  runtime: label,
  version: execFileSync(runtime, ['--version'], { encoding: 'utf8' }).split('\n')[0],
  passed: programs.filter((row) => row.passed).length,
  silent: programs.filter((row) => row.silent).length,
  // As a TAP harness counts: nothing "not ok" and exit status 0, whether or not anything was asserted.
  harness: programs.filter((row) => row.notOk === 0 && row.status === 0).length,
  ok: sum('ok'),
  skipped: sum('skipped'),
  notOk: sum('notOk'),
  errors: sum('errors'),
  seconds: Math.round(sum('ms') / 1000),
};
for (const row of programs) {
  console.log(
    `${row.passed ? 'ok' : 'not ok'} ${row.name} (${row.ok} ok, ${row.skipped} skipped, ${row.notOk} not ok, ${row.errors} errors, ${row.left} cgroups left, ${row.ms} ms)`,
  );
  for (const failure of row.failures) console.log(`    ${failure.replaceAll('\n', '\n    ')}`);
}
console.log(
  `${summary.version}: ${summary.passed} of ${programs.length} programs passed, ${summary.silent} asserted nothing, ${summary.harness} pass for a TAP harness; ${summary.ok} assertions ok, ${summary.skipped} skipped, ${summary.notOk} not ok, ${summary.errors} errors; ${summary.seconds} s`,
);
if (label !== '-') {
  ensureDirSync(results);
  writeJsonSync(`${results}/${label}.json`, { ...summary, programs }, { spaces: 1 });
  writeFileSync(`${results}/table.md`, table());
}

/** All results that are kept, side by side. */
function table() {
  const kept = readdirSync(results)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({
      label: file.slice(0, -'.json'.length),
      ...readJsonSync(`${results}/${file}`),
    }));
  const names = [...new Set(kept.flatMap((result) => result.programs.map((row) => row.name)))].sort();
  const cell = (row) => {
    if (!row) return '';
    if (row.silent) return 'asserts nothing';
    return `${row.passed ? 'pass' : '**fail**'} ${row.ok}${row.notOk ? ` / ${row.notOk} not ok` : ''}${row.errors ? ' (error)' : ''}`;
  };
  const line = (...cells) => `| ${cells.join(' | ')} |`;
  const total = (title, value) => line(title, ...kept.map(value));
  return `${[
    'Written by conformance/upstream/run.sh. A cell: the verdict and how many assertions were ok.',
    '',
    line('program', ...kept.map((result) => result.label)),
    line('---', ...kept.map(() => '---')),
    ...names.map((name) => line(name, ...kept.map((result) => cell(result.programs.find((row) => row.name === name))))),
    total('version', (result) => result.version),
    total('programs passed', (result) => `${result.passed} of ${result.programs.length}`),
    total('programs that assert nothing and show no fault', (result) => result.silent),
    total('programs that pass for a TAP harness', (result) => result.harness),
    total('assertions ok (with skipped ones)', (result) => `${result.ok} (${result.ok + result.skipped})`),
    total('assertions not ok', (result) => result.notOk),
    total('violations shown as an error only', (result) => result.errors),
    total('seconds', (result) => result.seconds),
  ].join('\n')}\n`;
}
process.exitCode = summary.passed === programs.length ? 0 : 1;
