/** What the completion scripts of all shells offer, read from the table of commands and options. */
import { capabilityNames } from '../../tables/capabilities.js';
import { signalNames } from '../../tables/signals.js';
import type { OptionRow } from '../option-rows.js';
import { type CommandRow, commandNames, commandRow, globalOptions } from '../options.js';

/** What to offer at one place. */
export type Offer =
  | { readonly kind: 'containers' | 'directories' | 'files' | 'nothing' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

export interface CompletedOption {
  readonly name: string;
  readonly short?: string;
  readonly about: string;
  readonly repeats: boolean;
  /** Absent: a switch. */
  readonly value?: { readonly name: string; readonly offer: Offer };
}

export interface CompletedCommand {
  readonly name: string;
  readonly about: string;
  readonly optionsFirst: boolean;
  readonly options: readonly CompletedOption[];
  /** What to offer as the first operand, the second and so on; after these, nothing. */
  readonly operands: readonly { readonly name: string; readonly offer: Offer }[];
}

export interface Completion {
  readonly globals: readonly CompletedOption[];
  readonly commands: readonly CompletedCommand[];
}

export const shells = ['bash', 'zsh', 'fish'] as const;

const nothing: Offer = { kind: 'nothing' };
const words = (list: readonly string[]): Offer => ({ kind: 'words', words: list });

function offerOfValue({ value = '', choices, offers }: OptionRow): Offer {
  const list = choices ?? offers;
  if (list) return words(list);
  if (value === 'DIR') return { kind: 'directories' };
  if (value === 'FILE' || value === 'SOCKET') return { kind: 'files' };
  if (value === 'CAP_NAME') return words([...capabilityNames]);
  return nothing;
}

function offerOfOperand(name: string, { newId }: CommandRow): Offer {
  if (name === 'ID') return newId ? nothing : { kind: 'containers' };
  if (name === 'SIGNAL') return words(signalNames());
  if (name === 'SHELL') return words(shells);
  return nothing;
}

const complete = (row: OptionRow): CompletedOption => ({
  name: row.name,
  about: row.about,
  repeats: row.repeats === true,
  ...(row.short === undefined ? {} : { short: row.short }),
  ...(row.value === undefined ? {} : { value: { name: row.value, offer: offerOfValue(row) } }),
});

const shown = (rows: readonly OptionRow[]): CompletedOption[] => rows.filter(({ hidden }) => !hidden).map(complete);

/** `available` are the commands this build has. */
export function completionModel(available: (name: string) => boolean): Completion {
  const commands = commandNames()
    .filter(available)
    .map((name): CompletedCommand => {
      const row = commandRow(name)!;
      const operands = row.operands.match(/[A-Z]+(?=[\s\]]|$)/g) ?? [];
      return {
        name,
        about: row.about,
        optionsFirst: row.optionsFirst === true,
        options: shown(row.options),
        operands: operands.map((operand) => ({ name: operand, offer: offerOfOperand(operand, row) })),
      };
    });
  return { globals: shown(globalOptions), commands };
}
