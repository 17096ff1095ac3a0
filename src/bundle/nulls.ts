/** `null` at an optional key: what generators in other languages write for "not set", and the peers read so. */
import type { Failure } from '../errors/error.js';
import { pointerOf } from './pointer.js';
import { partOf, type Shape } from './shape.js';

/** What was taken out. */
export interface Nulls {
  count: number;
  /** One for all of them: a generator that writes null does so at each key. */
  readonly warnings: readonly Failure[];
}

/** Whether a text can hold any: nearly none does, but for '/dev/null' as a string. */
export function mayHaveNulls(text: string): boolean {
  for (let at = text.indexOf('null'); at >= 0; at = text.indexOf('null', at + 4)) {
    let before = at - 1;
    while (text.charCodeAt(before) <= 0x20) before -= 1;
    if (text[before] === ':') return true;
  }
  return false;
}

/** Takes the optional keys that are null out of the value. Those that are required stay, and so are found by the schema. */
export function dropNulls(value: unknown, shape: Shape): Nulls {
  const pointers: string[] = [];
  drop(value, shape, [], pointers);
  return { count: pointers.length, warnings: pointers.length > 0 ? [warningOf(pointers)] : [] };
}

function drop(value: unknown, shape: Shape, path: (string | number)[], pointers: string[]): void {
  if (typeof value !== 'object' || value === null || (shape.is === 'array') !== Array.isArray(value)) return;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(value)) {
    const known = partOf(shape, key);
    if (known === undefined) continue;
    path.push(key);
    if (holder[key] === null && shape.is === 'object' && !shape.required.includes(key)) {
      delete holder[key];
      pointers.push(pointerOf(path));
    } else drop(holder[key], known, path, pointers);
    path.pop();
  }
}

/** How many of the keys are named. */
const mostNamed = 5;

function warningOf(pointers: readonly string[]): Failure {
  const others = pointers.slice(1, mostNamed);
  if (pointers.length > mostNamed) others.push(`${pointers.length - mostNamed} more`);
  const also = others.length > 0 ? `, as at ${others.join(', ')}` : '';
  return {
    code: 'TSR_CONFIG_NULL',
    message: `null counts as a key that is not there${also}`,
    pointer: pointers[0] ?? '',
    hint: 'leave the key out',
  };
}
