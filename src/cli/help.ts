/** `--help`, made from the same table the parser reads. Loaded only when somebody asks. */
import type { OptionRow } from './option-rows.js';
import { type CommandRow, commandNames, commandRow, globalOptions } from './options.js';

const width = 80;

/** Folds words into lines of the terminal's usual width. */
function fold(text: string, indent: number): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && indent + line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** Two columns; a long first column gets a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const longest = Math.max(...rows.map(([left]) => (left.length <= 26 ? left.length : 0)));
  const indent = longest + 4;
  return rows
    .map(([left, right]) => {
      const gap = left.length > longest ? `\n${' '.repeat(indent)}` : ' '.repeat(indent - 2 - left.length);
      return `  ${left}${gap}${fold(right, indent)}\n`;
    })
    .join('');
}

function optionColumns(options: readonly OptionRow[]): string {
  const shown = options.filter((option) => !option.hidden);
  return columns(
    shown.map((option) => {
      const short = option.short ? `-${option.short}, ` : '    ';
      const value = option.value ? ` ${option.value}` : '';
      const about = option.repeats ? `${option.about} (may be repeated)` : option.about;
      return [`${short}--${option.name}${value}`, about];
    }),
  );
}

/** `tsrun --help`. `available` are the commands this build has. */
export function renderProgramHelp(available: (name: string) => boolean): string {
  const rows = commandNames()
    .filter(available)
    .map((name) => commandRow(name)!);
  return (
    'tsrun runs containers from OCI bundles.\n\n' +
    'Usage: tsrun [OPTION…] COMMAND [ARGUMENT…]\n\n' +
    `Commands:\n${columns(rows.map(({ name, about }) => [name, about]))}\n` +
    `Options:\n${optionColumns(globalOptions)}\n` +
    "'tsrun COMMAND --help' explains a command.\n"
  );
}

/** `tsrun create --help`. */
export function renderCommandHelp(command: CommandRow): string {
  const operands = command.operands === '' ? '' : ` ${command.operands}`;
  return (
    `tsrun ${command.name}: ${command.about}\n\n` +
    `Usage: tsrun [OPTION…] ${command.name} [OPTION…]${operands}\n\n` +
    (command.more ? `${fold(command.more, 0)}\n\n` : '') +
    `Options:\n${optionColumns(command.options)}`
  );
}
