import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hasCommand, loadCommand } from './commands.js';
import { renderCommandHelp, renderProgramHelp } from './help.js';
import { commandNames, commandRow, globalOptions } from './options.js';

const commandTable = commandNames().map((name) => commandRow(name)!);

const tables = [
  ['tsrun', globalOptions] as const,
  ...commandTable.map(({ name, options }) => [name, options] as const),
];

test('names of a command are unique and spelled as flags are', () => {
  for (const [command, options] of tables) {
    const names = options.flatMap((option) => (option.short ? [option.name, option.short] : [option.name]));
    assert.is(new Set(names).size, names.length, command);
    for (const option of options) {
      assert.match(option.name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
      if (option.short) assert.match(option.short, /^[a-zA-Z]$/);
      assert.match(option.about, /^[a-zA-Z0-9-].*[^.]$/, option.name);
      if (option.repeats || option.number || option.choices) assert.ok(option.value, option.name);
      for (const choice of option.choices ?? [])
        assert.match(option.about, choice, `--${option.name} says what there is`);
    }
  }
});

test('every command has --help, and operands that fit its count', () => {
  for (const { name, operands, count } of commandTable) {
    assert.ok(
      commandRow(name)!.options.some((option) => option.name === 'help'),
      name,
    );
    assert.is(operands === '', count[1] === 0, name);
    assert.is(operands.startsWith('['), count[0] === 0 && count[1] > 0, name);
  }
  assert.is(commandRow('nope'), undefined);
  assert.is(commandRow('constructor'), undefined);
});

test("what is the runtime's own works and is not shown", () => {
  assert.ok(hasCommand('systemd-unit') && commandRow('systemd-unit'));
  assert.not(renderProgramHelp(hasCommand).includes('systemd-unit'));
});

test('a command that is not built is neither offered nor known', () => {
  const help = renderProgramHelp(hasCommand);
  for (const { name } of commandTable) assert.is(new RegExp(`^  ${name} `, 'm').test(help), hasCommand(name), name);
  for (const { name } of commandTable) assert.is(loadCommand(name) !== undefined, hasCommand(name), name);
  assert.not(hasCommand('constructor'));
});

test('help says all that is not hidden, in 80 columns', () => {
  const pages: [readonly { name: string; hidden?: true }[], string][] = [
    [globalOptions, renderProgramHelp(() => true)],
    ...commandTable.map((command): [typeof command.options, string] => [
      command.options,
      renderCommandHelp(commandRow(command.name)!),
    ]),
  ];
  for (const [options, page] of pages) {
    for (const line of page.split('\n')) assert.ok(line.length <= 80, line);
    for (const option of options) assert.is(page.includes(`--${option.name}`), !option.hidden, option.name);
  }
});

test.run();
