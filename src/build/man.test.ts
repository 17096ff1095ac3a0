// The manual pages as man(1) and mandoc(1) read them; that they are up to date is checked by the gate.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hasCommand } from '../cli/commands.js';
import { commandNames, commandRow } from '../cli/options.js';

const pages = readdirSync('docs/man').map((name) => `docs/man/${name}`);
const commands = commandNames().filter(hasCommand);

/** What the program says about the page; skips where it is not installed. */
function complaints(program: string, args: readonly string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
  if ((error as { code?: string } | undefined)?.code === 'ENOENT') return undefined;
  return program === 'man' ? stderr : stdout + stderr;
}

test('there is a page for tsrun and one for every command', () => {
  assert.equal(pages.sort(), ['docs/man/tsrun.1', ...commands.map((name) => `docs/man/tsrun-${name}.1`)].sort());
});

test('mandoc and groff have nothing to complain about', () => {
  for (const page of pages) {
    assert.is(complaints('mandoc', ['-Tlint', page]) ?? '', '', page);
    assert.is(complaints('man', ['-l', '--warnings', page]) ?? '', '', page);
  }
});

test('a reader finds every option that is not hidden', () => {
  for (const name of commands) {
    const { stdout, error } = spawnSync('mandoc', ['-Tascii', `docs/man/tsrun-${name}.1`], { encoding: 'utf8' });
    if (error) return;
    const text = stdout.replace(/.[\b]/g, '');
    for (const option of commandRow(name)!.options) {
      assert.is(
        new RegExp(`^ +(-., )?--${option.name}( |$)`, 'm').test(text),
        !option.hidden,
        `${name} ${option.name}`,
      );
    }
  }
});

test.run();
