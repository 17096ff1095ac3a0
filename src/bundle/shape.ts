/**
 * The quick question asked of every config: does the value have the shape the schema demands? One walk over
 * generated tables answers it, counts the keys (read.ts compares them with the text to notice duplicates) and
 * notices unknown ones. It explains nothing: when it says no, `explain.ts` asks ajv. Both come from the same
 * schema, and a test holds them against each other. Why not ajv for both: docs/decisions/0004-config.md.
 */

/** What a value may be. The tables in generated/config-shapes.ts hold one for every definition of the schema. */
export type Shape =
  | { readonly is: 'string'; readonly prefix?: string; readonly pattern?: RegExp }
  | { readonly is: 'enum'; readonly names: { readonly [name: string]: true } }
  | { readonly is: 'boolean' | 'any object' }
  /** `max` is a bigint where the schema allows more than 2^53-1: there, and only there, values may be bigints. */
  | { readonly is: 'integer'; readonly min: number | bigint; readonly max: number | bigint }
  | { readonly is: 'array'; readonly item: Shape; readonly least: number }
  | { readonly is: 'map'; readonly value: Shape }
  | ObjectShape;

export interface ObjectShape {
  readonly is: 'object';
  /** Null prototype: a config's key named `constructor` must not find anything here (security.md S47). */
  readonly keys: { readonly [key: string]: Shape };
  readonly required: readonly string[];
  /** Whether other keys are an error instead of being ignored. */
  readonly closed: boolean;
}

/** An integer of many digits, and the key it stands at: the first key of the text has the number 1. */
export interface LargeInteger {
  readonly key: number;
  readonly text: string;
}

/** What a walk counts on its way. */
export interface Walk {
  /** Keys seen, those below unknown keys aside. */
  keys: number;
  /** Whether some key is unknown; `unknown-keys.ts` names them. */
  unknown: boolean;
  /** Integers that are to be put in exactly on the way, and how many have been. */
  readonly large: readonly LargeInteger[];
  placed: number;
  /** Known objects with an own key `__proto__`, which stays until it was named: `forgetPrototypes`. */
  readonly withPrototype: Record<string, unknown>[];
}

export const newWalk = (large: readonly LargeInteger[] = []): Walk => ({
  keys: 0,
  unknown: false,
  large,
  placed: 0,
  withPrototype: [],
});

/** Takes the own `__proto__` keys away that a walk has met, so that no later look-up, copy or merge can be led astray (S47). */
export function forgetPrototypes(walk: Walk): void {
  for (const holder of walk.withPrototype) Reflect.deleteProperty(holder, '__proto__');
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Whether the value has the shape. Maps lose their prototype on the way, so that no later look-up can be led astray (S47).
 */
export function conforms(value: unknown, shape: Shape, walk: Walk): boolean {
  switch (shape.is) {
    case 'string':
      if (typeof value !== 'string') return false;
      if (shape.prefix !== undefined) return value.startsWith(shape.prefix);
      return shape.pattern === undefined || shape.pattern.test(value);
    case 'enum':
      return typeof value === 'string' && shape.names[value] === true;
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return conformsInteger(value, shape.min, shape.max);
    case 'array':
      return Array.isArray(value) && conformsArray(value, shape.item, shape.least, walk);
    case 'map':
      return isObject(value) && conformsMap(value, shape.value, walk);
    case 'object':
      return isObject(value) && conformsObject(value, shape, walk);
    case 'any object':
      if (isObject(value)) walk.unknown ||= Object.keys(value).length > 0;
      return isObject(value);
  }
}

function conformsInteger(value: unknown, min: number | bigint, max: number | bigint): boolean {
  // Between two safe integers, which a fraction, NaN and the infinities are not.
  if (typeof value === 'number' && typeof min === 'number' && typeof max === 'number')
    return value >= min && value <= max && value % 1 === 0;
  // Least values are powers of two, so exact as a number: QuickJS-ng 0.12.1 compares negative ones with a bigint the wrong way round.
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= Number(min) && value <= max;
  return typeof value === 'bigint' && typeof max === 'bigint' && value >= min && value <= max;
}

function conformsArray(value: readonly unknown[], item: Shape, least: number, walk: Walk): boolean {
  const length = value.length;
  // Nearly all arrays hold plain strings: the names of system calls alone are some 400.
  if (item.is === 'string' && item.prefix === undefined && item.pattern === undefined) {
    for (let index = 0; index < length; index++) {
      if (typeof value[index] !== 'string') return false;
    }
    return length >= least;
  }
  const isOfObjects = item.is === 'object';
  for (let index = 0; index < length; index++) {
    const one = value[index];
    if (isOfObjects ? !isObject(one) || !conformsObject(one, item, walk) : !conforms(one, item, walk)) return false;
  }
  return length >= least;
}

function conformsMap(value: Record<string, unknown>, shape: Shape, walk: Walk): boolean {
  Object.setPrototypeOf(value, null);
  const isPlain = shape.is === 'string' && shape.prefix === undefined && shape.pattern === undefined;
  for (const key in value) {
    walk.keys += 1;
    if (isPlain ? typeof value[key] !== 'string' : !conforms(value[key], shape, walk)) return false;
  }
  return true;
}

function conformsObject(value: Record<string, unknown>, shape: ObjectShape, walk: Walk): boolean {
  for (const key in value) {
    walk.keys += 1;
    if (walk.placed < walk.large.length) placeLarge(value, key, walk);
    const known = shape.keys[key];
    if (known === undefined) {
      if (shape.closed) return false;
      walk.unknown = true;
      if (key === '__proto__') walk.withPrototype.push(value);
    } else if (known.is === 'enum') {
      // These three here and not there: a call costs an engine that interprets more than the question.
      const name = value[key];
      if (typeof name !== 'string' || known.names[name] !== true) return false;
    } else if (known.is === 'integer') {
      if (!conformsInteger(value[key], known.min, known.max)) return false;
    } else if (known.is === 'boolean') {
      if (typeof value[key] !== 'boolean') return false;
    } else if (!conforms(value[key], known, walk)) return false;
  }
  const required = shape.required;
  for (let index = 0; index < required.length; index++) {
    if (value[required[index]!] === undefined) return false;
  }
  return true;
}

/**
 * Puts the exact integer in where the walk has come to its key. The walk goes in the order of the text, but for
 * objects with keys such as '1'; the rounded value is the proof that it is the right one.
 */
function placeLarge(value: Record<string, unknown>, key: string, walk: Walk): void {
  const { key: number, text } = walk.large[walk.placed]!;
  if (number !== walk.keys || Number(text) !== value[key]) return;
  walk.placed += 1;
  if (!Number.isSafeInteger(value[key])) value[key] = BigInt(text);
}

/** The shape of one part of a value, or undefined where the schema knows nothing of it. */
export function partOf(shape: Shape, key: string | number): Shape | undefined {
  if (shape.is === 'array') return shape.item;
  if (shape.is === 'map') return shape.value;
  return shape.is === 'object' ? shape.keys[key] : undefined;
}

/** The shape at a path. */
export function shapeAt(shape: Shape, path: readonly (string | number)[]): Shape | undefined {
  let here: Shape | undefined = shape;
  for (const key of path) here = here && partOf(here, key);
  return here;
}
