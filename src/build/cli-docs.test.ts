// The pages of docs/cli have every option that `--help` has; that the tables are up to date is checked by the gate.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hasCommand } from '../cli/commands.js';
import { renderCommandHelp } from '../cli/help.js';
import { commandNames, commandRow } from '../cli/options.js';
import { cliPage, generateCliDocs, withoutGenerated } from './generate-cli-docs.js';

test('every option of --help has a row in the page of its command, and no other has', () => {
  for (const name of commandNames().filter(hasCommand)) {
    const help = renderCommandHelp(commandRow(name)!);
    const wanted = [...help.matchAll(/^ {2}(?:-.,| {3}) --([a-z0-9-]+)/gm)].map(([, option]) => option);
    const rows = readFileSync(cliPage(name), 'utf8').matchAll(/^\| (?:`-.`, )?`--([a-z0-9-]+)/gm);
    assert.equal(
      [...rows].map(([, option]) => option),
      wanted,
      name,
    );
    assert.ok(wanted.length > 0, name);
  }
});

test('what a hand has written stays, before and behind the table', () => {
  for (const { path, text } of generateCliDocs())
    assert.is(withoutGenerated(text), withoutGenerated(readFileSync(path, 'utf8')), path);
  const page = readFileSync('docs/cli/README.md', 'utf8');
  assert.match(withoutGenerated(page), '## Ids');
  assert.not.match(withoutGenerated(page), '`--log-format FORMAT`');
});

test.run();
