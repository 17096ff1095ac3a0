/**
 * Documents without anything odd: every key known and there once, every value of its shape, no null, no large number, no half character.
 * An engine that interprets takes longer to look at a value than to parse it, so the bytes are looked at, by C (src/engine/shape.c). Whatever
 * is not plainly so is read as if nobody had looked (validate.ts).
 */
import { scannerOf } from '../host/json.js';
import type { Source } from './read.js';
import { type Shape, shapeAt } from './shape.js';
import { tableOf } from './shape-table.js';

/** The value of an ordinary document; undefined for any other, which may still be valid, and where nobody looks at bytes. */
export type ReadOrdinary = (source: Source) => unknown;

/** Where maps are. @throws RangeError for one in an array, which needs another way to be found. */
function mapsOf(shape: Shape, path: readonly string[] = []): (readonly string[])[] {
  if (shape.is === 'map') return [path];
  if (shape.is === 'array' && mapsOf(shape.item).length > 0) throw new RangeError('a map in an array');
  return shape.is === 'object'
    ? Object.keys(shape.keys).flatMap((key) => mapsOf(shapeAt(shape, [key])!, [...path, key]))
    : [];
}

/** Maps lose their prototype, as in the walk of shape.ts (S47). Gives the number of their keys. */
function releaseMaps(value: unknown, paths: readonly (readonly string[])[]): number {
  let keys = 0;
  for (let i = 0; i < paths.length; i++) {
    const path = paths[i]!;
    let here: unknown = value;
    for (let k = 0; k < path.length && here !== undefined; k++) here = (here as Record<string, unknown>)[path[k]!];
    if (here === undefined) continue;
    Object.setPrototypeOf(here, null);
    keys += Object.keys(here as object).length;
  }
  return keys;
}

/** To be made once for a shape, when the engine's memory is made. */
export function ordinaryReader(shape: Shape): ReadOrdinary {
  const scan = scannerOf(() => tableOf(shape));
  if (scan === undefined) return () => undefined;
  const maps = mapsOf(shape);
  return ({ text, bytes }) => {
    const keys = bytes === undefined ? -1 : scan(bytes);
    if (keys < 0) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return undefined;
    }
    // Fewer than were written: a key of a map came twice.
    return releaseMaps(value, maps) === keys ? value : undefined;
  };
}
