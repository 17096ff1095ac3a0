/**
 * Documents without anything odd: every key known and there once, every value of its shape, no null, no large number, no half character.
 * An engine that interprets takes longer to look at a value than to parse it, so the bytes are looked at, by C (src/engine/shape.c). Whatever
 * is not plainly so is read as if nobody had looked (validate.ts).
 */
import { type Span, scannerOf } from '../host/json.js';
import { carry, joined } from '../tables/carried-text.js';
import type { Source } from './read.js';
import type { Shape } from './shape.js';
import { type Carried, tableOf } from './shape-table.js';

/** The value of an ordinary document; undefined for any other, which may still be valid, and where nobody looks at bytes. */
export type ReadOrdinary = (source: Source) => unknown;

/** Where maps are. @throws RangeError for one in an array, which needs another way to be found. */
function mapsOf(shape: Shape, path: readonly string[] = []): (readonly string[])[] {
  if (shape.is === 'map') return [path];
  if (shape.is === 'array' && mapsOf(shape.item).length > 0) throw new RangeError('a map in an array');
  return shape.is === 'object'
    ? Object.keys(shape.keys).flatMap((key) => mapsOf(shape.keys[key]!, [...path, key]))
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

/** From here on it is worth to leave something unread. */
const large = 8192;

const empty = new TextEncoder().encode('{}');

/** The text with another, empty object in that one's place. */
function without(bytes: Uint8Array, { begin, end }: Span): string {
  return new TextDecoder().decode(joined([bytes.subarray(0, begin), empty, bytes.subarray(end)]) as Uint8Array);
}

/** To be made once for a shape, when the engine's memory is made. */
export function ordinaryReader(shape: Shape, carried?: Carried): ReadOrdinary {
  const scan = scannerOf(() => tableOf(shape, carried));
  if (scan === undefined) return () => undefined;
  const maps = mapsOf(shape);
  return (source) => {
    const { bytes } = source;
    const found = bytes && scan(bytes, bytes.length >= large);
    if (found === undefined) return undefined;
    const { keys, carried: span } = found;
    let value: unknown;
    try {
      value = JSON.parse(span === undefined ? source.text : without(bytes!, span));
    } catch {
      return undefined;
    }
    // Fewer than were written: a key of a map came twice.
    if (releaseMaps(value, maps) !== keys) return undefined;
    if (span !== undefined) {
      const json = bytes!.subarray(span.begin, span.end);
      (value as Record<string, unknown>)[carried!.key] = carry(() => new TextDecoder().decode(json), json);
    }
    return value;
  };
}
