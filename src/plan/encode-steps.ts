/** Where each step's numbers and texts go: the first half of encode.ts, which see. */
import { fail } from '../errors/error.js';
import { opTable, roles } from '../generated/ops.js';
import { errnoNumber } from '../tables/errnos.js';
import type { Step } from './step.js';
import { encodeText, mayBeHalf, utf8Length } from './wire-text.js';

export const headerWords = 12;
export const stepWords = 19;
export const numberWord = 2;
const refWord = 9;
const maxTolerate = 4;
const maxPath = 4095;

/** What is being built. Word arrays are in the host's byte order, which both of our architectures have as wanted. */
export interface Draft {
  readonly words: Uint32Array;
  /** Texts in the order of their offsets; each is followed by a NUL. */
  readonly texts: string[];
  /** Where the next text starts. */
  length: number;
  /** Binary values, and long texts that were given for such: a record, the state for each hook. They come behind the texts, once each; `at`
      are the words of the references to complete. */
  readonly blobs: { readonly at: number[]; readonly bytes: Uint8Array; readonly text?: string }[];
  /** Which of `texts` are padding. */
  readonly padding: number[];
  readonly lengthOf: LengthOf | undefined;
}

/**
 * From here on a text for bytes is encoded by itself, and put into the data once: what is no ASCII in it does not make the others be
 * laid out again. Far above what a kept plan has a place for (kept.ts).
 */
const worthSharing = 1024;

/** What each operation's step consists of, as numbers and names side by side: strings are slow to compare. */
interface Layout {
  readonly code: number;
  readonly names: readonly string[];
  readonly kinds: readonly number[];
}
const kindNumbers: Readonly<Record<string, number>> = {
  u32: 0,
  slot: 0,
  u64: 1,
  string: 2,
  path: 3,
  bytes: 4,
  strings: 5,
  paths: 6,
};
const u32 = 0;
const u64 = 1;
const string = 2;
const path = 3;
const binary = 4;
const paths = 6;

const layouts: ReadonlyMap<string, Layout> = new Map(
  Object.entries(opTable).map(([op, [code, ...fields]]) => [
    op,
    {
      code,
      names: fields.filter((_, i) => i % 2 === 0),
      kinds: fields.filter((_, i) => i % 2 === 1).map((kind) => kindNumbers[kind]!),
    },
  ]),
);
const roleBits: ReadonlyMap<string, number> = new Map(roles.map((role, i) => [role, i << 16]));

export function invalid(step: Step, message: string): never {
  fail('TSR_PLAN_ENCODE', message, { pointer: step.pointer, step: step.summary });
}

function numbers64(words: Uint32Array, at: number, step: Step, name: string, value: unknown): void {
  if (typeof value !== 'bigint' || value < 0n || value > 0xffffffffffffffffn) {
    invalid(step, `'${name}' of ${step.op} is not a 64-bit number: ${String(value)}`);
  }
  words[at] = Number(value & 0xffffffffn);
  words[at + 1] = Number(value >> 32n);
}

function tolerated(step: Step): number {
  const names = step.tolerate ?? [];
  if (names.length > maxTolerate) invalid(step, `more than ${maxTolerate} tolerated errnos`);
  let word = 0;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    word |= (errnoNumber(name) ?? invalid(step, `unknown errno '${name}'`)) << (i * 8);
  }
  return word;
}

/** How many bytes a text has, from its place among those that are no padding. */
export type LengthOf = (text: string, index: number) => number;

function addText(draft: Draft, step: Step, name: string, value: unknown): number {
  if (typeof value !== 'string') invalid(step, `'${name}' of ${step.op} is not a string`);
  const { texts, lengthOf } = draft;
  const length = lengthOf === undefined ? value.length : lengthOf(value, texts.length - draft.padding.length);
  if (lengthOf !== undefined && Number.isNaN(length))
    invalid(step, `'${name}' of ${step.op} contains half a surrogate pair`);
  texts[texts.length] = value;
  draft.length += length + 1;
  return length;
}

/** @throws TSR_PLAN_ENCODE as for the texts that are encoded together (encode.ts). */
function encodeLong(text: string, step: Step, name: string): Uint8Array {
  const bytes = encodeText(text);
  if (bytes.indexOf(0) !== -1) invalid(step, `'${name}' of ${step.op} contains a NUL character`);
  if (mayBeHalf(bytes) && Number.isNaN(utf8Length(text)))
    invalid(step, `'${name}' of ${step.op} contains half a surrogate pair`);
  return bytes;
}

/** Bytes, or text for bytes: aligned, and what is long only once. Says whether the reference needs nothing more. */
function addBinary(draft: Draft, step: Step, name: string, value: unknown, at: number): boolean {
  const { blobs } = draft;
  if (value instanceof Uint8Array) {
    const same = value.length >= worthSharing ? blobs.find(({ bytes }) => bytes === value) : undefined;
    if (same !== undefined) same.at.push(at);
    else blobs.push({ at: [at], bytes: value });
    return true;
  }
  if (typeof value !== 'string') invalid(step, `'${name}' of ${step.op} is neither text nor bytes`);
  if (value.length >= worthSharing) {
    const same = blobs.find(({ text }) => text === value);
    if (same !== undefined) same.at.push(at);
    else blobs.push({ at: [at], bytes: encodeLong(value, step, name), text: value });
    return true;
  }
  while (draft.length % 8 !== 0) {
    draft.padding.push(draft.texts.length);
    draft.texts.push('');
    draft.length++;
  }
  return false;
}

/** What is rarer than a plain text or number; gives the length, or -1 where the reference needs nothing more. */
function addOther(draft: Draft, step: Step, name: string, kind: number, value: unknown, at: number): number {
  if (kind === binary) {
    if (addBinary(draft, step, name, value, at)) return -1;
    draft.words[at] = draft.length;
    return addText(draft, step, name, value);
  }
  if (!Array.isArray(value)) invalid(step, `'${name}' of ${step.op} is not a list`);
  if (value.length >= manyTexts) {
    draft.blobs.push({ at: [at], bytes: encodeList(value, step, name, kind === paths) });
    return -1;
  }
  const start = draft.length;
  draft.words[at] = start;
  for (let i = 0; i < value.length; i++) {
    const length = addText(draft, step, name, value[i]);
    if (kind === paths) checkPath(step, name, length);
  }
  return draft.length - start;
}

/** From here on a list is encoded by itself, all of it at once. */
const manyTexts = 32;

/**
 * Of an engine that interprets each entry would take more than all that is done here: what can be asked about the whole is asked about it.
 * @throws TSR_PLAN_ENCODE as for the texts that are encoded together (encode.ts).
 */
function encodeList(list: readonly unknown[], step: Step, name: string, arePaths: boolean): Uint8Array {
  for (const one of list)
    if (typeof one !== 'string') invalid(step, `'${name}' of ${step.op} is not a list of strings`);
  // `split` looks for a character in a tenth of the time of `includes` (QuickJS-ng 0.12.1).
  const has = (text: string, part: string): boolean => text.split(part).length > 1;
  if (has(list.join(''), '\0')) invalid(step, `'${name}' of ${step.op} contains a NUL character`);
  const text = `${list.join('\0')}\0`;
  const bytes = encodeText(text);
  if (mayBeHalf(bytes) && Number.isNaN(utf8Length(text)))
    invalid(step, `'${name}' of ${step.op} contains half a surrogate pair`);
  if (!arePaths) return bytes;
  if (bytes[0] === 0 || has(text, '\0\0')) checkPath(step, name, 0);
  for (let at = 0; at < bytes.length; ) {
    // The last end that is not too far away; the paths before it are shorter still.
    const end = bytes.lastIndexOf(0, at + maxPath);
    if (end < at) checkPath(step, name, maxPath + 1);
    at = end + 1;
  }
  return bytes;
}

function checkPath(step: Step, name: string, length: number): void {
  if (length === 0) invalid(step, `'${name}' of ${step.op} is an empty path`);
  if (length > maxPath) invalid(step, `'${name}' of ${step.op} is longer than ${maxPath} bytes`);
}

/** Writes one step's numbers and references; `at` is the record's first word. */
function addFields(draft: Draft, at: number, step: Step, { names, kinds }: Layout): void {
  const { words } = draft;
  const args = step.args as Readonly<Record<string, unknown>>;
  let number = at + numberWord;
  let ref = at + refWord;
  for (let i = 0; i < kinds.length; i++) {
    const name = names[i]!;
    const kind = kinds[i]!;
    const value = args[name];
    if (kind === u32) {
      if (typeof value !== 'number' || value !== value >>> 0)
        invalid(step, `'${name}' of ${step.op} is not a 32-bit number: ${String(value)}`);
      words[number++] = value;
    } else if (kind === u64) {
      numbers64(words, number, step, name, value);
      number += 2;
    } else if (kind === string || kind === path) {
      words[ref] = draft.length;
      const length = addText(draft, step, name, value);
      words[ref + 1] = length;
      if (kind === path) checkPath(step, name, length);
      ref += 2;
    } else {
      const length = addOther(draft, step, name, kind, value, ref);
      if (length >= 0) words[ref + 1] = length;
      ref += 2;
    }
  }
}

/** Without `lengthOf` every character is taken for a byte. */
export function layOut(steps: readonly Step[], lengthOf?: LengthOf): Draft {
  const words = new Uint32Array(headerWords + steps.length * stepWords);
  const draft: Draft = { words, texts: [], length: 0, blobs: [], padding: [], lengthOf };
  for (let i = 0, at = headerWords; i < steps.length; i++, at += stepWords) {
    const step = steps[i]!;
    const layout = layouts.get(step.op) ?? invalid(step, `unknown operation '${step.op}'`);
    const role = roleBits.get(step.role) ?? invalid(step, `unknown role '${step.role}'`);
    const marks =
      (step.orElseNext === true ? 1 << 24 : 0) |
      (step.expects === true ? 2 << 24 : 0) |
      (step.orEnd === true ? 4 << 24 : 0);
    words[at] = layout.code | role | marks;
    if (step.tolerate !== undefined) words[at + 1] = tolerated(step);
    addFields(draft, at, step, layout);
  }
  return draft;
}
