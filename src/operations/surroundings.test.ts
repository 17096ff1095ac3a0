/** What a caller may bring along: a working directory that is gone, few descriptors, a terminal that is not standard output. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { BundleSuite, hasProgram, runtime, type Sandbox } from '../../bundles/harness.js';

const suite = new BundleSuite('surroundings');

/** A shell's script, with the runtime and its state root as `$@`. */
function shell(sandbox: Sandbox, script: string): { status: number | null; output: string; errors: string } {
  const args = ['-c', script, 'sh', runtime, '--root', join(sandbox.folder, 'state')];
  const { status, stdout, stderr } = spawnSync('sh', args, { cwd: sandbox.folder, encoding: 'utf8', timeout: 20_000 });
  return { status, output: stdout, errors: stderr };
}

const echo = (sandbox: Sandbox): string =>
  sandbox.copy('hello', ({ process }) => void Object.assign(process, { args: ['/bin/echo', 'hi'] }));

suite.test('the working directory may be gone', (sandbox) => {
  const bundle = echo(sandbox);
  mkdirSync(join(sandbox.folder, 'gone'));
  const { status, output, errors } = shell(
    sandbox,
    `cd gone && rmdir ../gone && "$@" run -b ${bundle} ${sandbox.id('s')}`,
  );
  assert.equal([status, output, errors], [0, 'hi\n', '']);
});

suite.test('few descriptors are enough, and too few are said to be', (sandbox) => {
  const bundle = echo(sandbox);
  const id = sandbox.id('s');
  assert.is(shell(sandbox, `ulimit -n 32 && "$@" run -b ${bundle} ${id}`).output, 'hi\n');
  for (const limit of [8, 12]) {
    const { status, errors } = shell(sandbox, `ulimit -n ${limit} && "$@" run -b ${bundle} ${id}`);
    assert.is(status, 1);
    assert.match(errors, /\w/, `a word about ${limit} descriptors`);
    sandbox.command('delete', '--force', id);
  }
});

suite.test('the terminal of a foreground run has its size from the start, whichever stream shows it', (sandbox) => {
  if (!hasProgram('script')) return;
  const bundle = sandbox.copy('hello', (config) => {
    Object.assign(config.process, { terminal: true, args: ['/bin/stty', 'size'] });
  });
  const file = join(sandbox.folder, 'inner.sh');
  for (const redirection of ['>said', '</dev/null']) {
    writeFileSync(file, `stty rows 33 cols 77; "$@" run -b ${bundle} ${sandbox.id('s')} ${redirection}`);
    const { output } = shell(sandbox, 'export SHELL=/bin/sh; script -qec "sh inner.sh $*" /dev/null </dev/null');
    const said = redirection === '>said' ? readFileSync(join(sandbox.folder, 'said'), 'utf8') : output;
    assert.match(said, /33 77/, redirection);
  }
});

suite.run();
