// What CI makes of suites that fail, once or twice (.ci/lib.sh).
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderFor } from '../test-fixtures.js';

const test = suite('CI');
const folder = folderFor(test, 'ci');
const [fake, runs] = [join(folder, 'suite.sh'), join(folder, 'runs')];
test.before.each(() => rmSync(runs, { force: true }));

/** bash that has read the functions; the counts are the last line. */
function ci(script: string): string[] {
  const text = `set -u; log=$(mktemp -d '${folder}/log.XXXX'); passed=0 failed=0 skipped=0; . .ci/lib.sh\n${script}\necho "$passed $failed $skipped"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', text], { encoding: 'utf8', timeout: 30_000 });
  assert.is(stderr, '');
  return stdout.trimEnd().split('\n');
}

/** A suite of engines/lib.sh whose cells are these, each "NAME BODY": a body is bash that fails or not; $run is the number of the run. */
function suiteOf(cells: Readonly<Record<string, string>>, after = ':'): string {
  const lines = Object.entries(cells).map(
    ([name, body]) => `cell ${JSON.stringify(name)} '' eval ${JSON.stringify(body)}`,
  );
  writeFileSync(
    fake,
    `. ${resolve('conformance/engines/lib.sh')}
WORK=$(mktemp -d ${folder}/work.XXXX)
echo "\${ONLY:-all}" >>${runs}
run=$(wc -l <${runs})
${lines.join('\n')}
${after}
echo "$passed passed, $failed failed\${skipped:+, $skipped skipped}"
[ $failed = 0 ]`,
  );
  return `bash ${fake}`;
}
const said = (lines: readonly string[]): string => lines.join('\n').replace(/ \(\d+ s, processors \d+ s\)/g, '');
const asked = (): string[] => readFileSync(runs, 'utf8').trimEnd().split('\n');

const once = '[ $run != 1 ]'.replaceAll('$', '\\$');

test('what is right runs once', () => {
  const lines = ci(`suite engine cells ${suiteOf({ one: 'true', two: 'true' })}`);
  assert.equal([said(lines), asked()], ['engine: 2 passed, 0 failed, 0 skipped\n2 0 0', ['all']]);
});

test('a cell that fails once runs once more, and no other; the counts are those of the first run', () => {
  const name = '--uidmap (a|b)* [x] {2}? ^$ a.b+c\\d';
  const lines = ci(`suite engine cells ${suiteOf({ one: 'true', [name]: once, three: 'true' })}`);
  assert.match(said(lines), `not ok 2 - ${name}`);
  assert.match(said(lines), 'engine, those once more: 1 passed, 0 failed');
  assert.match(said(lines), 'engine: 1 failed in one of two runs only\n3 0 0');
  assert.is(asked().length, 2);
});

test('what fails twice has failed', () => {
  const lines = ci(`suite engine cells ${suiteOf({ one: 'true', two: 'false', three: once })}`);
  assert.match(said(lines), 'engine: 1 failed in one of two runs only\n2 1 0');
  assert.equal(asked(), ['all', '^(three|two)$']);
});

test('where no cell runs again, or what is left at the end is wrong, the whole suite does', () => {
  const vanishing = suiteOf({ one: 'true' }, `[ $run != 1 ] || report fail 'a cell of nobody'`);
  assert.match(
    said(ci(`suite engine cells ${vanishing}`)),
    'engine, once more: 1 passed, 0 failed, 0 skipped\nengine: 1 failed in one of two runs only\n2 0 0',
  );
  assert.equal(asked(), ['all', '^(a cell of nobody)$', 'all']);
  rmSync(runs);
  const left = suiteOf({ one: 'true' }, `report fail 'leaves nothing behind'`);
  assert.match(said(ci(`suite engine cells ${left}`)), /once more: 1 passed, 1 failed[\s\S]*\n1 1 0$/);
  assert.equal(asked(), ['all', 'all']);
});

test('a cell that does not run again is as wrong as it was', () => {
  const vanishing = suiteOf({ one: once, two: 'true' }, `[ $run != 1 ] || report fail 'a cell of nobody'`);
  assert.match(said(ci(`suite engine cells ${vanishing}`)), 'engine: 1 failed in one of two runs only\n2 1 0');
});

test('an exit status behind "0 failed" is one failure, and named', () => {
  const broken = suiteOf({ one: 'true' }, 'trap "exit 97" EXIT');
  const lines = said(ci(`suite engine cells ${broken}`));
  assert.match(lines, 'engine: exit status 97 though nothing failed');
  assert.match(lines, /\n1 1 0$/);
  rmSync(runs);
  const flaky = suiteOf({ one: 'true' }, '[ $run != 1 ] || trap "exit 97" EXIT');
  assert.match(said(ci(`suite engine cells ${flaky}`)), /\n1 0 0$/);
  assert.equal(asked(), ['all', 'all']);
});

test('an exit status behind the second "0 failed", too', () => {
  const broken = suiteOf({ one: once, two: 'true' }, '[ $run = 1 ] || trap "exit 97" EXIT');
  assert.match(
    said(ci(`suite engine cells ${broken}`)),
    /those once more: exit status 97 though nothing failed[\s\S]*\n1 1 0$/,
  );
});

test('no result is one failure; a second run that has one counts', () => {
  assert.match(
    said(ci(`suite engine cells ${suiteOf({}, 'echo gone; exit 2')}`)),
    /^engine: no result, exit status 2\ngone\n[\s\S]*\n0 1 0$/,
  );
  rmSync(runs);
  const late = suiteOf({ one: 'true' }, '[ $run != 1 ] || exit 2');
  assert.match(said(ci(`suite engine cells ${late}`)), /\n1 0 0$/);
});

test('cases and rigs are told by their options', () => {
  const script = (first: string): string => {
    const text = `echo "$*" >>${runs}; case $* in *--only*) echo 'ok 1 - a/b'; echo '1 passed, 0 failed' ;; *) printf '%b\\n' ${JSON.stringify(first)}; echo '4 passed, 2 failed, 3 skipped'; exit 1 ;; esac`;
    writeFileSync(fake, text);
    return `bash ${fake} --filter x`;
  };
  const cases = said(ci(`suite s cases ${script('not ok 7 - a/b\\nnot ok 9 - c/d')}`));
  assert.match(cases, 's: 1 failed in one of two runs only\n5 1 3');
  assert.is(asked()[1], '--filter x --only a/b,c/d');
  rmSync(runs);
  const rigs = said(ci(`suite s rigs ${script('not ok soak: life 1, x: y\\nnot ok soak: life 2')}`));
  assert.match(rigs, 's: 2 failed in one of two runs only\n6 0 3');
  assert.is(asked()[1], '--filter x --only soak');
});

test('lanes have counts of their own, and their lines are whole', () => {
  const cells = suiteOf({ one: 'true', two: 'sleep 0.3; false' });
  const lines = said(
    ci(`slow() { step right true; suite slow whole ${cells}; }; dies() { exit 3; }
lane a slow; lane b dies; step beside true; echo -; join a; join b`),
  );
  assert.match(lines, /^ok {5}beside\n-\nok {5}right\nslow: 1 passed, 1 failed/);
  assert.match(lines, /\nFAILED b: it did not come to its end\n3 2 0$/);
});

/** `npm` that runs the files of a list with what the repository has for it. */
function npm(body: string): string {
  return `npm() { echo "$*" >>${runs}; run=$(wc -l <${runs}); ${body}; }; timeout() { shift; "$@"; }; npm_test`;
}
const uvu = (total: number, good: number): string =>
  `printf '\\n  Total:     ${total}\\n  Passed:    ${good}\\n  Skipped:   1\\n\\n'`;

test('npm test: the files that fail run once more', () => {
  const flaky = `if [ $run = 1 ]; then echo 'failed: src/a.test.ts: "b: c"'; ${uvu(9, 8)}; return 1; else ${uvu(2, 2)}; fi`;
  assert.match(
    said(ci(npm(flaky))),
    'npm test, those files once more: 2 of 2 passed, 1 skipped, exit status 0\nnpm test: 1 failed in one of two runs only\n9 0 1',
  );
  assert.equal(asked(), ['test', 'test -- src/a.test.ts']);
  rmSync(runs);
  const wrong = `echo 'failed: src/a.test.ts: "b"'; [ $run != 1 ] || echo 'failed: src/b.test.ts: "c"'; if [ $run = 1 ]; then ${uvu(9, 7)}; else ${uvu(3, 2)}; fi; return 1`;
  assert.match(said(ci(npm(wrong))), /1 failed in one of two runs only[\s\S]*\n8 1 1$/);
});

test('npm test: without a result it runs once more as a whole', () => {
  assert.match(said(ci(npm('echo gone; return 2'))), /\n0 1 0$/);
  assert.equal(asked(), ['test', 'test --']);
  rmSync(runs);
  assert.match(said(ci(npm(`[ $run != 1 ] || return 2; ${uvu(4, 4)}`))), /\n4 0 1$/);
  assert.ok(existsSync(runs));
});

test.run();
