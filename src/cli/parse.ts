import { nearest } from '../bundle/nearest.js';
import { fail } from '../errors/error.js';
import type { OptionRow } from './option-rows.js';

/**
 * The parser of runc's command line, which is Go's flag package: `--x v`, `--x=v`, `-x v`, `-x=v` with any name
 * in either spelling, switches with `=true|false`, no clusters of short names, no unique prefixes. Engines
 * depend on the details and on the texts (docs/cli/compatibility.md), so this is by hand: 80 lines, no start-up cost.
 */

// Loops and flat lists below: this runs once in a cold engine, where a closure or a Map costs more than the work.

/** Options by long name; what was not given is absent. */
export class Values {
  /** Name, value, name, value… in the order given. */
  private readonly given: string[] = [];

  add(name: string, value: string): void {
    this.given.push(name, value);
  }

  /** Every value of an option that repeats, in order. */
  list(name: string): string[] {
    const values: string[] = [];
    for (let at = 0; at < this.given.length; at += 2) if (this.given[at] === name) values.push(this.given[at + 1]!);
    return values;
  }

  /** The last value, which is the one that counts where an option does not repeat. */
  last(name: string): string | undefined {
    for (let at = this.given.length - 2; at >= 0; at -= 2) if (this.given[at] === name) return this.given[at + 1];
    return undefined;
  }

  /** The value; an empty one counts as not given, as engines pass `--pid-file=` for nothing. */
  text(name: string): string | undefined {
    return this.last(name) || undefined;
  }

  /** A switch. */
  is(name: string): boolean {
    return this.last(name) === 'true';
  }
}

export interface Parsed {
  readonly options: Values;
  readonly operands: string[];
}

const usage = (message: string): never => fail('TSR_CLI_USAGE', message);

const truths = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const untruths = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

function addSwitch(values: Values, row: OptionRow, spelled: string, text: string): void {
  if (truths.includes(text)) values.add(row.name, 'true');
  else if (untruths.includes(text)) values.add(row.name, 'false');
  else usage(`invalid boolean value '${text}' for -${spelled}`);
}

function addValue(values: Values, row: OptionRow, spelled: string, text: string): void {
  if (row.number && text !== '' && !/^-?[0-9]{1,15}$/.test(text)) {
    usage(`invalid value '${text}' for flag -${spelled}: not a number`);
  }
  if (row.choices && text !== '' && !row.choices.includes(text)) {
    usage(`invalid value '${text}' for flag -${spelled}: must be ${row.choices.join(', ')}`);
  }
  values.add(row.name, text);
}

function rowNamed(rows: readonly OptionRow[], name: string): OptionRow | undefined {
  for (const row of rows) if (row.name === name || row.short === name) return row;
  return undefined;
}

function unknownOption(rows: readonly OptionRow[], spelled: string): never {
  const near = nearest(
    spelled,
    rows.filter(({ hidden }) => !hidden).map(({ name }) => name),
  );
  const hint = near === undefined ? {} : { hint: `did you mean '--${near}'?` };
  return fail('TSR_CLI_USAGE', `flag provided but not defined: -${spelled}`, hint);
}

/**
 * Parses `args`. With `optionsFirst` the first operand ends the options and everything after it is an operand;
 * otherwise options may follow operands. `--` ends the options either way.
 */
export function parseOptions(rows: readonly OptionRow[], args: readonly string[], optionsFirst: boolean): Parsed {
  const options = new Values();
  const operands: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? '';
    if (argument === '--') return { options, operands: operands.concat(args.slice(index + 1)) };
    if (argument.length < 2 || argument[0] !== '-') {
      if (optionsFirst) return { options, operands: args.slice(index) };
      operands.push(argument);
      continue;
    }
    const body = argument.slice(argument[1] === '-' ? 2 : 1);
    const equals = body.indexOf('=');
    const spelled = equals < 0 ? body : body.slice(0, equals);
    if (spelled === '' || spelled[0] === '-') usage(`bad flag syntax: ${argument}`);
    const row = rowNamed(rows, spelled) ?? unknownOption(rows, spelled);
    if (row.value === undefined) {
      addSwitch(options, row, spelled, equals < 0 ? 'true' : body.slice(equals + 1));
      continue;
    }
    if (equals < 0 && index + 1 >= args.length) usage(`flag needs an argument: ${argument}`);
    addValue(options, row, spelled, equals < 0 ? (args[++index] ?? '') : body.slice(equals + 1));
  }
  return { options, operands };
}

/** The text engines and scripts know from runc for a wrong number of operands; undefined when it is right. */
export function countComplaint(
  name: string,
  [least, most]: readonly [number, number],
  given: number,
): string | undefined {
  if (given >= least && given <= most) return undefined;
  if (least === most) return `"${name}" requires exactly ${least} argument(s)`;
  const [kind, limit] = given < least ? ['minimum', least] : ['maximum', most];
  return `"${name}" requires a ${kind} of ${limit} argument(s)`;
}
