/** How wide and how colourful what a person reads may be. Nothing but a terminal gets colour unless it is asked for. */
import { isPlain } from '../errors/render.js';
import { environment } from '../host/process.js';
import { terminalWidth } from '../host/terminal.js';
import { fail } from '../errors/error.js';

export type Tone = 'strong' | 'faint' | 'good' | 'bad' | 'odd' | 'key';

const codes: Readonly<Record<Tone, string>> = {
  strong: '1',
  faint: '2',
  good: '32',
  bad: '31',
  odd: '33',
  key: '36',
};

export interface Look {
  /** Columns of the terminal; undefined for a file or a pipe, whose lines are as long as they are. */
  readonly width: number | undefined;
  readonly paint: (text: string, tone: Tone) => string;
}

const plain = (text: string): string => text;
const colour = (text: string, tone: Tone): string => (text === '' ? '' : `\x1b[${codes[tone]}m${text}\x1b[0m`);

/** What `--color` says, else FORCE_COLOR and NO_COLOR (no-color.org), else whether somebody is looking. */
function wantsColour(when: string, width: number | undefined): boolean {
  if (when === 'always' || when === 'never') return when === 'always';
  if (when !== 'auto') fail('TSR_CLI_VALUE', 'invalid color option', { hint: "it is 'auto', 'always' or 'never'" });
  if (environment('NO_COLOR') !== undefined) return false;
  const forced = environment('FORCE_COLOR');
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return width !== undefined && environment('TERM') !== 'dumb';
}

/** For standard output. */
export function terminalFor(when = 'auto'): Look {
  const width = terminalWidth(1);
  return { width, paint: wantsColour(when, width) ? colour : plain };
}

const isWide = (code: number): boolean =>
  (code >= 0x1100 && code <= 0x115f) ||
  (code >= 0x2e80 && code <= 0xa4cf) ||
  (code >= 0xac00 && code <= 0xd7a3) ||
  (code >= 0xf900 && code <= 0xfaff) ||
  (code >= 0xfe30 && code <= 0xfe6f) ||
  (code >= 0xff00 && code <= 0xff60) ||
  (code >= 0x1f300 && code <= 0x1faff);

/** Columns of a terminal that a text takes. */
export function columnsOf(text: string): number {
  if (isPlain(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += isWide(character.codePointAt(0) ?? 0) ? 2 : 1;
  return columns;
}

/** Cut to fit, with a mark where something is missing: at the end, or at the beginning where the end says more (paths). */
export function clipTo(text: string, width: number, from: 'end' | 'start' = 'end'): string {
  if (columnsOf(text) <= width) return text;
  const characters = from === 'end' ? [...text] : [...text].reverse();
  let kept = '';
  let left = Math.max(0, width - 1);
  for (const character of characters) {
    left -= columnsOf(character);
    if (left < 0) break;
    kept = from === 'end' ? kept + character : character + kept;
  }
  return from === 'end' ? `${kept}…` : `…${kept}`;
}

/** Each line of a text no wider than this. */
export const clipLines = (text: string, width: number): string =>
  text
    .split('\n')
    .map((line) => clipTo(line, width))
    .join('\n');

export const padTo = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - columnsOf(text)));

/** A word that no line holds, in pieces that fit. */
function piecesOf(word: string, width: number): string[] {
  if (columnsOf(word) <= width) return [word];
  const pieces = [''];
  for (const character of word) {
    const piece = pieces.at(-1) ?? '';
    if (piece !== '' && columnsOf(piece) + columnsOf(character) > width) pieces.push(character);
    else pieces[pieces.length - 1] = piece + character;
  }
  return pieces;
}

/** Words in lines of this width; without one, a single line. */
export function foldTo(text: string, width: number | undefined): string[] {
  if (width === undefined) return [text];
  const lines = [''];
  for (const word of text.split(' ').flatMap((one) => piecesOf(one, width))) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
