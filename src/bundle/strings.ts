/** The one check over every string of a config: NUL ends a C string early, a lone surrogate has no UTF-8 form. */
import type { Failure } from '../errors/error.js';
import { type Path, pointerOf } from './pointer.js';
import { mostFindings } from './rule.js';
import { partOf, type Shape } from './shape.js';

const bad = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Whether one of the texts is bad. */
export const haveBadString = (texts: readonly string[]): boolean => bad.test(texts.join(' '));

/** Faulty strings and map keys of whatever the schema knows; below unknown keys nothing is looked at. */
export function findBadStrings(value: unknown, shape: Shape): Failure[] {
  const found: Failure[] = [];
  collect(value, shape, [], found);
  return found;
}

function collect(value: unknown, shape: Shape, path: (string | number)[], found: Failure[]): void {
  if (typeof value === 'string') check(value, path, 'the text', found);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (found.length >= mostFindings) return;
    path.push(key);
    if (shape.is === 'map') check(key, path, 'the key', found);
    const known = partOf(shape, key);
    if (known !== undefined) collect(item, known, path, found);
    path.pop();
  }
}

function check(text: string, path: Path, what: string, found: Failure[]): void {
  const match = bad.exec(text);
  if (match === null) return;
  const isNul = match[0] === '\0';
  found.push({
    code: isNul ? 'TSR_CONFIG_NUL' : 'TSR_CONFIG_SURROGATE',
    message: `${what} contains ${isNul ? 'a NUL character' : 'half of a surrogate pair, which is no character'}`,
    pointer: pointerOf(path),
    hint: isNul ? 'nothing on Linux can be named so' : 'the kernel would see another text than the one written',
  });
}
