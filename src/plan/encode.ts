import { fail } from '../errors/error.js';
import { opTable, roles, wireVersion } from '../generated/ops.js';
import { encodeLossless, hasRawBytes } from '../tables/lossless-text.js';
import { errnoNumber } from '../tables/errnos.js';
import type { Plan, Step } from './step.js';

/**
 * The plan's wire form, little endian: header, steps of one size, data, notes, without gaps. What goes where in
 * a step follows from `opTable`, so this file knows no operation. It is strict, although the executor checks
 * everything again: here an error can still name the config key.
 *
 * A plan has some 400 short texts and is encoded once, by an engine that has only just started: a call of
 * TextEncoder or DataView for each would take 2 ms. So all texts go through one string, whose characters are
 * counted as bytes; only if it turns out not to be ASCII, everything is laid out again with true lengths.
 */
const magic = 0x50525354;
const headerWords = 12;
const stepWords = 19;
const numberWord = 2;
const refWord = 9;
const maxTolerate = 4;
const maxPath = 4095;
const maxSteps = 65535;
const maxTotal = 16 << 20;

const utf8 = new TextEncoder();

/** What is being built. Word arrays are in the host's byte order, which both of our architectures have as wanted. */
interface Draft {
  readonly words: Uint32Array;
  /** Texts in the order of their offsets; each is followed by a NUL. */
  readonly texts: string[];
  /** Where the next text starts. */
  length: number;
  /** Binary values; they come behind the texts, and `at` is the word of the reference to complete. */
  readonly blobs: { readonly at: number; readonly bytes: Uint8Array }[];
  readonly lengthOf: (text: string) => number;
}

const asciiLength = (text: string): number => text.length;

/** NaN for half a surrogate pair, which would come out as another text; but U+DC80 to U+DCFF are raw bytes (lossless-text.ts). */
function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) length += 1;
    else if (code < 0x800) length += 2;
    else if (code < 0xd800 || code >= 0xe000) length += 3;
    else if (code < 0xdc00 && isLow(text.charCodeAt(i + 1))) {
      length += 4;
      i++;
    } else if (code >= 0xdc80 && code <= 0xdcff) length += 1;
    else return Number.NaN;
  }
  return length;
}

const isLow = (code: number): boolean => code >= 0xdc00 && code < 0xe000;

function invalid(step: Step, message: string): never {
  fail('TSR_PLAN_ENCODE', message, { pointer: step.pointer, step: step.summary });
}

function addText(draft: Draft, step: Step, name: string, value: unknown): number {
  if (typeof value !== 'string') invalid(step, `'${name}' of ${step.op} is not a string`);
  const length = draft.lengthOf(value);
  if (Number.isNaN(length)) invalid(step, `'${name}' of ${step.op} contains half a surrogate pair`);
  draft.texts.push(value);
  draft.length += length + 1;
  return length;
}

function addStrings(draft: Draft, step: Step, name: string, value: unknown): number {
  if (!Array.isArray(value)) invalid(step, `'${name}' of ${step.op} is not a list`);
  const start = draft.length;
  for (let i = 0; i < value.length; i++) addText(draft, step, name, value[i]);
  return draft.length - start;
}

/** Puts a reference to a text, list or binary value at the word `at`. */
function addReference(draft: Draft, step: Step, name: string, kind: string | number | undefined, at: number): void {
  const value = (step.args as Readonly<Record<string, unknown>>)[name];
  if (kind === 'bytes') {
    if (value instanceof Uint8Array) {
      draft.blobs.push({ at, bytes: value });
      return;
    }
    if (typeof value !== 'string') invalid(step, `'${name}' of ${step.op} is neither text nor bytes`);
    while (draft.length % 8 !== 0) {
      draft.texts.push('');
      draft.length++;
    }
  }
  draft.words[at] = draft.length;
  const length = kind === 'strings' ? addStrings(draft, step, name, value) : addText(draft, step, name, value);
  draft.words[at + 1] = length;
  if (kind !== 'path') return;
  if (length === 0) invalid(step, `'${name}' of ${step.op} is an empty path`);
  if (length > maxPath) invalid(step, `'${name}' of ${step.op} is longer than ${maxPath} bytes`);
}

function number32(step: Step, name: string, value: unknown): number {
  if (typeof value !== 'number' || value !== value >>> 0) {
    invalid(step, `'${name}' of ${step.op} is not a 32-bit number: ${String(value)}`);
  }
  return value;
}

function number64(step: Step, name: string, value: unknown): bigint {
  if (typeof value !== 'bigint' || value < 0n || value > 0xffffffffffffffffn) {
    invalid(step, `'${name}' of ${step.op} is not a 64-bit number: ${String(value)}`);
  }
  return value;
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

/** Where the first number of the step with this index lies in an encoded plan, in bytes; the others follow, four each. */
export const numbersOffset = (index: number): number => (headerWords + index * stepWords + numberWord) * 4;

/** Writes one step's record; `at` is its first word. */
function addStep(draft: Draft, at: number, step: Step): void {
  const { words } = draft;
  const row = opTable[step.op];
  if (!Array.isArray(row)) invalid(step, `unknown operation '${step.op}'`);
  let role = 0;
  while (roles[role] !== step.role) if (++role === roles.length) invalid(step, `unknown role '${step.role}'`);
  const flags = (step.orElseNext === true ? 1 : 0) | (step.expects === true ? 2 : 0) | (step.orEnd === true ? 4 : 0);
  words[at] = row[0] | (role << 16) | (flags << 24);
  if (step.tolerate !== undefined) words[at + 1] = tolerated(step);
  const args = step.args as Readonly<Record<string, unknown>>;
  let number = at + numberWord;
  let ref = at + refWord;
  for (let i = 1; i < row.length; i += 2) {
    const name = row[i] as string;
    const kind = row[i + 1];
    if (kind === 'u32' || kind === 'slot') words[number++] = number32(step, name, args[name]);
    else if (kind === 'u64') {
      const value = number64(step, name, args[name]);
      words[number++] = Number(value & 0xffffffffn);
      words[number++] = Number(value >> 32n);
    } else {
      addReference(draft, step, name, kind, ref);
      ref += 2;
    }
  }
}

/** Names the step that has a NUL in one of its texts; that there is one is known. */
function refuseNul(steps: readonly Step[]): never {
  for (const step of steps) {
    for (const [name, value] of Object.entries(step.args)) {
      for (const text of Array.isArray(value) ? value : [value]) {
        if (typeof text === 'string' && text.includes('\0'))
          invalid(step, `'${name}' of ${step.op} contains a NUL character`);
      }
    }
  }
  fail('TSR_PLAN_ENCODE', 'a text of the plan contains a NUL character');
}

function checkTotal(total: number): void {
  if (total > maxTotal) fail('TSR_PLAN_TOO_LARGE', `the plan has ${total} bytes, at most ${maxTotal} fit`);
}

/** Whether the text fills the place exactly. */
function writeText(text: string, place: Uint8Array): boolean {
  const { read, written } = utf8.encodeInto(text, place);
  if (read === text.length && written === place.length && !hasRawBytes(text)) return true;
  if (!hasRawBytes(text)) return false;
  const bytes = encodeLossless(text);
  if (bytes.length !== place.length) return false;
  place.set(bytes);
  return true;
}

/** Undefined: `lengthOf` was wrong about the texts. */
function encodeWith(plan: Plan, lengthOf: (text: string) => number): Uint8Array | undefined {
  const { steps } = plan;
  const words = new Uint32Array(headerWords + steps.length * stepWords);
  const draft: Draft = { words, texts: [], length: 0, blobs: [], lengthOf };
  const notes: [string, string][] = [];
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i] as Step;
    addStep(draft, headerWords + i * stepWords, step);
    notes.push([step.pointer, step.summary]);
  }
  if (draft.texts.join('').includes('\0')) refuseNul(steps);

  let dataLength = draft.length;
  for (const { at, bytes } of draft.blobs) {
    words[at] = (dataLength + 7) & ~7;
    words[at + 1] = bytes.length;
    dataLength = words[at]! + bytes.length;
  }
  const noteBytes = utf8.encode(JSON.stringify(notes));
  const dataAt = words.length * 4;
  const total = dataAt + dataLength + noteBytes.length;
  checkTotal(total);
  words.set([magic, wireVersion, total, steps.length, headerWords * 4, dataAt, dataLength, dataAt + dataLength]);
  words[8] = noteBytes.length;
  words[9] = plan.preserveFds;

  const out = new Uint8Array(total);
  const text = draft.texts.length === 0 ? '' : `${draft.texts.join('\0')}\0`;
  if (!writeText(text, out.subarray(dataAt, dataAt + draft.length))) return undefined;
  out.set(new Uint8Array(words.buffer));
  for (const { at, bytes } of draft.blobs) out.set(bytes, dataAt + words[at]!);
  out.set(noteBytes, dataAt + dataLength);
  return out;
}

/** The bytes the executor reads. Throws TSR_PLAN_ENCODE for anything it would refuse. */
export function encodePlan(plan: Plan): Uint8Array {
  const count = plan.steps.length;
  if (count > maxSteps) fail('TSR_PLAN_TOO_LARGE', `the plan has ${count} steps, at most ${maxSteps} fit`);
  const bytes = encodeWith(plan, asciiLength) ?? encodeWith(plan, utf8Length);
  return bytes ?? fail('TSR_PLAN_ENCODE', 'the texts of the plan have no length');
}
