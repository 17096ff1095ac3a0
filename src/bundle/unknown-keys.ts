/** Keys the schema does not know: ignored, as the specification demands, but not in silence. */
import { type Failure, fail } from '../errors/error.js';
import { quote } from './describe.js';
import { deepest } from './json64.js';
import { suggestion } from './nearest.js';
import { type Path, pointerOf } from './pointer.js';
import { mostFindings } from './rule.js';
import type { Shape } from './shape.js';

/** One warning for each unknown key, with the nearest known one. Not without end: the first hundred will do. */
export function findUnknownKeys(value: unknown, shape: Shape): Failure[] {
  const found: Failure[] = [];
  collect(value, shape, [], found);
  return found;
}

function collect(value: unknown, shape: Shape, path: (string | number)[], found: Failure[]): void {
  if (typeof value !== 'object' || value === null || !holdsObjects(shape)) return;
  for (const [key, item] of Object.entries(value)) {
    if (found.length >= mostFindings) return;
    path.push(key);
    if (shape.is === 'array') collect(item, shape.item, path, found);
    else if (shape.is === 'map') collect(item, shape.value, path, found);
    else if (shape.is === 'object') {
      const known = shape.keys[key];
      if (known === undefined) found.push(unknownKey(path, shape.keys));
      else collect(item, known, path, found);
    }
    path.pop();
  }
}

function unknownKey(path: Path, known: object): Failure {
  const key = String(path.at(-1));
  const hint = suggestion(key, Object.keys(known));
  return {
    code: 'TSR_CONFIG_UNKNOWN_KEY',
    message: `unknown key ${quote(key)} is ignored`,
    pointer: pointerOf(path),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Keys of everything that the walk of shape.ts did not go into. @throws TSR_CONFIG_DEPTH */
export function countUnseenKeys(value: unknown, shape: Shape): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (shape.is === 'any object') return countKeys(value, 1);
  let keys = 0;
  if (shape.is === 'array' && holdsObjects(shape.item)) {
    for (const item of value as readonly unknown[]) keys += countUnseenKeys(item, shape.item);
  }
  const holder = value as Record<string, unknown>;
  if (shape.is === 'map' && holdsObjects(shape.value)) {
    for (const key in holder) keys += countUnseenKeys(holder[key], shape.value);
  }
  if (shape.is === 'object') {
    for (const key in holder) {
      const known = shape.keys[key];
      keys += known === undefined ? countKeys(holder[key], 1) : countUnseenKeys(holder[key], known);
    }
  }
  return keys;
}

const holdsObjects = (shape: Shape): boolean => ['object', 'map', 'array', 'any object'].includes(shape.is);

/** All keys of a value, at any depth. */
function countKeys(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth >= deepest) fail('TSR_CONFIG_DEPTH', `the config is nested more than ${deepest} levels deep`);
  let keys = 0;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) keys += countKeys(value[index], depth + 1);
    return keys;
  }
  for (const key in value) keys += 1 + countKeys((value as Record<string, unknown>)[key], depth + 1);
  return keys;
}
