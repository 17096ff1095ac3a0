// Documents and bytes that are nearly right, by chance and repeatable: for the rigs that feed them.
let state = 1;
/** Begins anew from a seed, which repeats a run. */
export function sow(seed: number): void {
  state = seed || 1;
}
/** A whole number below `limit`; xorshift, so that a seed repeats a run. */
export function draw(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}
export const oneOf = <T>(list: readonly T[]): T => list[draw(list.length)] as T;

const nasty: readonly unknown[] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  '/',
  '..',
  '../../etc',
  '/proc/self/fd/9',
  'a\0b',
  '\ud800',
  '\u001b[2J',
  'x'.repeat(70_000),
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  -(2 ** 63),
  null,
  true,
  [],
  {},
  [[]],
  [{}],
  ['a', 'a'],
  { a: 1 },
  JSON.parse('{"__proto__":{"polluted":true}}'),
  JSON.parse('{"constructor":{"prototype":{"polluted":true}}}'),
];

type Json = { [key: string]: unknown } | unknown[];
const isNode = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** Every place of a document: its holder and key. */
function places(value: unknown, found: (readonly [Json, string])[] = []): (readonly [Json, string])[] {
  if (isNode(value))
    for (const key of Object.keys(value)) {
      found.push([value, key]);
      places((value as { [key: string]: unknown })[key], found);
    }
  return found;
}

function set(holder: Json, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Changes some places: takes one out, replaces it, puts another's value there, or adds a key. */
export function mutate(text: string): unknown {
  const document = JSON.parse(text) as Json;
  for (let i = 1 + draw(3); i > 0; i--) {
    const all = places(document);
    if (all.length === 0) break;
    const [holder, key] = oneOf(all);
    const [other, otherKey] = oneOf(all);
    const what = draw(4);
    if (what === 0 && !Array.isArray(holder)) delete holder[key];
    else if (what === 1) set(holder, key, structuredClone((other as { [key: string]: unknown })[otherKey]));
    else if (what === 2 && !Array.isArray(holder))
      set(holder, String(oneOf(nasty)).slice(0, 300), structuredClone(oneOf(nasty)));
    else set(holder, key, structuredClone(oneOf(nasty)));
  }
  return document;
}

/** Damages text or bytes: flips, cuts, doubles. */
export function damage(source: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(source);
  for (let i = 1 + draw(4); i > 0 && bytes.length > 0; i--)
    bytes[draw(bytes.length)] = draw(3) === 0 ? oneOf([0, 0xff, 0x22, 0x5c, 0x7b]) : draw(256);
  const kind = draw(6);
  if (kind === 0) return bytes.subarray(0, draw(bytes.length + 1));
  return kind === 1 ? new Uint8Array([...bytes, ...bytes.subarray(draw(bytes.length + 1))]) : bytes;
}
