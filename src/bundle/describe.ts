/** Values in messages: short, quoted, never secret. */

const longest = 60;

/** Text cut where it is too long for a line. */
export const clip = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text);

/** A string in single quotes, clipped. */
export const quote = (text: string): string => `'${clip(text)}'`;

/** `an object`, `5`, `'text'`, `null`: what a message says after "not". */
export function describe(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** `'a', 'b' or 'c'`. */
export function quoteList(names: readonly string[]): string {
  const quoted = names.map(quote);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}
