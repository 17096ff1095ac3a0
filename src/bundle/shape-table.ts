/**
 * A shape as numbers, for who walks a text with it instead of a value (src/engine/shape.c). All are of 32 bits, little endian. The first says
 * where the shape of the whole begins, as do all that name another; a node begins with a letter:
 *
 *     s                                 any string
 *     p at length                       a string that begins so: where these bytes are in the table, and how many
 *     c count (at length)*              one of these strings
 *     l least most set×4                so many letters of a set of ASCII
 *     i least most                      an integer; both are two numbers, the lower half first
 *     b                                 true or false
 *     a item least                      an array
 *     m value carried count (at length)*   an object with any keys. With `carried` 1 it may be left unread, unless a key begins as one of these
 *     o count required×2 (at length value)*   an object with these keys; of `required` each bit is that of a key
 *     x                                 nothing: whoever walks leaves it to others
 */
import type { ObjectShape, Shape } from './shape.js';

/** A mask of the keys of an object has so many bits. */
const mostKeys = 64;

const letter = (text: string): number => text.charCodeAt(0);
const utf8 = new TextEncoder();

/** A key of the document whose map is left unread where it can be, and the beginnings of names in it that somebody asks for. */
export interface Carried {
  readonly key: string;
  readonly wanted: readonly string[];
}

class Table {
  readonly words: number[] = [0];
  readonly #carried: Carried | undefined;
  readonly #texts: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  readonly #nodes = new Map<Shape, number>();

  constructor(carried?: Carried) {
    this.#carried = carried;
  }

  /** Where the shape's node begins. */
  add(shape: Shape): number {
    const known = this.#nodes.get(shape);
    if (known !== undefined) return known;
    const at = this.#put(this.#node(shape));
    this.#nodes.set(shape, at);
    return at;
  }

  /** The document itself. */
  addWhole(shape: Shape): number {
    return shape.is === 'object' ? this.#put(this.#object(shape, this.#carried)) : this.add(shape);
  }

  #put(node: readonly Word[]): number {
    const at = this.words.length;
    this.words.push(...node.map((word) => (typeof word === 'number' ? word : 0)));
    node.forEach((word, i) => {
      if (typeof word !== 'number') this.#texts.push({ at: at + i, bytes: utf8.encode(word.text) });
    });
    return at;
  }

  #node(shape: Shape): Word[] {
    switch (shape.is) {
      case 'string':
        if (shape.prefix !== undefined) return [letter('p'), ...textOf(shape.prefix)];
        return shape.pattern === undefined ? [letter('s')] : lettersOf(shape.pattern);
      case 'enum': {
        const names = Object.keys(shape.names);
        return [letter('c'), names.length, ...names.flatMap(textOf)];
      }
      case 'boolean':
        return [letter('b')];
      case 'integer':
        return [letter('i'), ...halvesOf(BigInt(shape.min)), ...halvesOf(BigInt(shape.max))];
      case 'array':
        return [letter('a'), this.add(shape.item), shape.least];
      case 'map':
        return [letter('m'), this.add(shape.value), 0, 0];
      case 'object':
        return this.#object(shape);
      case 'any object':
        return [letter('x')];
    }
  }

  #object({ keys, required }: ObjectShape, carried?: Carried): Word[] {
    const names = Object.keys(keys);
    if (names.length > mostKeys) throw new RangeError(`a shape has ${names.length} keys, at most ${mostKeys} fit`);
    const mask = required.reduce((bits, name) => bits | (1n << BigInt(names.indexOf(name))), 0n);
    const nodeOf = (name: string): number => {
      const value = keys[name]!;
      if (name !== carried?.key || value.is !== 'map') return this.add(value);
      return this.#put([
        letter('m'),
        this.add(value.value),
        1,
        carried.wanted.length,
        ...carried.wanted.flatMap(textOf),
      ]);
    };
    const rows = names.flatMap((name) => [...textOf(name), nodeOf(name)]);
    return [letter('o'), names.length, ...halvesOf(mask), ...rows];
  }

  get bytes(): Uint8Array {
    const size = this.words.length * 4;
    const out = new Uint8Array(this.#texts.reduce((sum, { bytes }) => sum + bytes.length, size));
    const words = Uint32Array.from(this.words);
    let end = size;
    for (const { at, bytes } of this.#texts) {
      words[at] = end;
      words[at + 1] = bytes.length;
      out.set(bytes, end);
      end += bytes.length;
    }
    out.set(new Uint8Array(words.buffer));
    return out;
  }
}

/** A number, or the first of two that say where a text is. */
type Word = number | { readonly text: string };
const textOf = (text: string): Word[] => [{ text }, 0];

const halvesOf = (value: bigint): number[] => {
  // Longer numbers than fifteen digits are left to others anyway.
  const bounded = value > 0x7fffffffffffffffn ? 0x7fffffffffffffffn : value;
  return [bounded, bounded >> 32n].map((half) => Number(BigInt.asUintN(32, half)));
};

/** `^[abc]{1,3}$`; other patterns are left to others. */
function lettersOf({ source }: RegExp): Word[] {
  const [, set, least, most] = /^\^\[([a-z]+)\]\{(\d+),(\d+)\}\$$/.exec(source) ?? [];
  if (set === undefined) return [letter('x')];
  const bits = [0, 0, 0, 0];
  for (const one of set) bits[one.charCodeAt(0) >> 5]! |= 1 << (one.charCodeAt(0) & 31);
  return [letter('l'), Number(least), Number(most), ...bits.map((word) => word >>> 0)];
}

export function tableOf(shape: Shape, carried?: Carried): Uint8Array {
  const table = new Table(carried);
  table.words[0] = table.addWhole(shape);
  return table.bytes;
}
