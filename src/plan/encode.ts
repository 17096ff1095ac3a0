import { fail } from '../errors/error.js';
import { wireLimits, wireVersion } from '../generated/ops.js';
import { type Draft, headerWords, invalid, layOut, type LengthOf, numberWord, stepWords } from './encode-steps.js';
import type { Plan, Step } from './step.js';
import { encodeText, mayBeHalf, utf8Length } from './wire-text.js';

/**
 * The plan's wire form, little endian: header, steps of one size, data, notes, without gaps. What goes where in
 * a step follows from `opTable`, so this file knows no operation. It is strict, although the executor checks
 * everything again: here an error can still name the config key.
 *
 * A plan has some 400 short texts and is encoded once, by an engine that has only just started and interprets: a call of
 * TextEncoder or DataView for each would take 2 ms. So all texts go through one string, whose characters are counted
 * as bytes. If it turns out not to be ASCII, the true lengths are seen in what came out, and the steps are laid out again.
 */
const magic = 0x50525354;

/** Where the first number of the step with this index lies in an encoded plan, in bytes; the others follow, four each. */
export const numbersOffset = (index: number): number => (headerWords + index * stepWords + numberWord) * 4;

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
  const { bytes } = wireLimits;
  if (total > bytes) fail('TSR_PLAN_TOO_LARGE', `the plan has ${total} bytes, at most ${bytes} fit`);
}

/** All texts, each with a NUL behind it. */
const encodeTexts = (texts: readonly string[]): Uint8Array =>
  encodeText(texts.length === 0 ? '' : `${texts.join('\0')}\0`);

/** Where each text ends; undefined where one holds a NUL. An engine that interprets searches bytes much faster than text. */
function endsOf(bytes: Uint8Array, count: number): number[] | undefined {
  const ends: number[] = [];
  for (let at = bytes.indexOf(0); at >= 0 && ends.length <= count; at = bytes.indexOf(0, at + 1)) ends.push(at);
  return ends.length === count ? ends : undefined;
}

/** The lengths of the texts as bytes. Where something may be half a surrogate pair, they are looked at one by one. */
function trueLengths({ padding }: Draft, bytes: Uint8Array, ends: readonly number[]): LengthOf {
  if (mayBeHalf(bytes)) return utf8Length;
  const isPadding = new Set(padding);
  const lengths = ends.map((end, i) => end - (i === 0 ? 0 : ends[i - 1]! + 1)).filter((_, i) => !isPadding.has(i));
  return (_, index) => lengths[index]!;
}

/** Pointers and summaries, for who explains a failure (executor/outcome.ts). The summary of a text with a NUL was refused before. */
function encodeNotes(steps: readonly Step[]): Uint8Array {
  const notes: string[] = [];
  for (let i = 0; i < steps.length; i++) {
    notes[2 * i] = steps[i]!.pointer;
    notes[2 * i + 1] = steps[i]!.summary;
  }
  return encodeTexts(notes);
}

function assemble(draft: Draft, text: Uint8Array, plan: Plan): Uint8Array {
  const { words } = draft;
  const notes = encodeNotes(plan.steps);
  let dataLength = draft.length;
  const places = draft.blobs.map(({ at, bytes }) => {
    const place = (dataLength + 7) & ~7;
    for (const word of at) {
      words[word] = place;
      words[word + 1] = bytes.length;
    }
    dataLength = place + bytes.length;
    return place;
  });
  const dataAt = words.length * 4;
  const total = dataAt + dataLength + notes.length;
  checkTotal(total);
  const { steps, preserveFds } = plan;
  words.set([magic, wireVersion, total, steps.length, headerWords * 4, dataAt, dataLength, dataAt + dataLength]);
  words[8] = notes.length;
  words[9] = preserveFds;
  const out = new Uint8Array(total);
  out.set(new Uint8Array(words.buffer));
  out.set(text, dataAt);
  for (let i = 0; i < places.length; i++) out.set(draft.blobs[i]!.bytes, dataAt + places[i]!);
  out.set(notes, dataAt + dataLength);
  return out;
}

/** The bytes the executor reads. Throws TSR_PLAN_ENCODE for anything it would refuse. */
export function encodePlan(plan: Plan): Uint8Array {
  const { steps } = plan;
  const count = steps.length;
  const most = wireLimits.steps;
  if (count > most) fail('TSR_PLAN_TOO_LARGE', `the plan has ${count} steps, at most ${most} fit`);
  const draft = layOut(steps);
  const text = encodeTexts(draft.texts);
  const ends = endsOf(text, draft.texts.length) ?? refuseNul(steps);
  if (text.length === draft.length) return assemble(draft, text, plan);
  const again = layOut(steps, trueLengths(draft, text, ends));
  const longer = encodeTexts(again.texts);
  if (longer.length !== again.length) fail('TSR_PLAN_ENCODE', 'the texts of the plan have no length');
  return assemble(again, longer, plan);
}
