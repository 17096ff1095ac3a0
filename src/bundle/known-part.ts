/**
 * A seccomp profile whose very bytes were read, checked and compiled before is not read again: podman's is four fifths of a config.
 * The rest is read as ever, with a short text in the profile's place, and the rules follow when somebody asks for them.
 */
import { specShape } from '../generated/config-shapes.js';
import { findObject, type Span } from '../host/json.js';
import { ordinaryReader } from './ordinary.js';
import { parseQuickly } from './parse.js';
import { type Source, sourceOf } from './read.js';
import { Reporter } from './rule.js';
import { seccompRule } from './rules/seccomp.js';
import { conforms, newWalk, type Shape, shapeAt } from './shape.js';
import type { Seccomp, Spec } from './types.js';

/** What is remembered of a profile: itself without its rules, as JSON. */
export interface Known {
  readonly head: string;
}

/** What was found where the profiles are kept. */
export interface Found {
  readonly bytes: Uint8Array;
  readonly known: Known | undefined;
  /** The config that it stands in was read whole and is plain (validate.ts). */
  plain?: boolean;
}

/** Not worth a look into the cache. */
const shortest = 1024;

/** Looks for the profile in a text. `shorter` is the text with one of the same shape that has no rules, where `find` knows it. */
export function findProfileIn<T extends Found>(
  { name, bytes }: Source,
  find: (profile: Uint8Array) => T,
): { readonly profile?: T; readonly shorter?: Source } {
  const span = bytes && findObject(bytes, ['linux', 'seccomp']);
  if (!bytes || !span || span.end - span.begin < shortest) return {};
  const profile = find(bytes.subarray(span.begin, span.end));
  if (profile.known === undefined) return { profile };
  return { profile, shorter: withoutRules(bytes, span, profile.known, name) };
}

/** An object in an object's place: valid if and only if both were. */
function withoutRules(bytes: Uint8Array, { begin, end }: Span, { head }: Known, name: string): Source {
  const middle = new TextEncoder().encode(head);
  const shorter = new Uint8Array(bytes.length - (end - begin) + middle.length);
  shorter.set(bytes.subarray(0, begin));
  shorter.set(middle, begin);
  shorter.set(bytes.subarray(end), begin + middle.length);
  return sourceOf(name, shorter);
}

/** Gives the profile its rules, read when they are looked at. */
export function addRules(seccomp: Seccomp, { bytes }: Found): void {
  const read = (): Seccomp['syscalls'] => {
    const { syscalls } = JSON.parse(new TextDecoder().decode(bytes)) as Seccomp;
    Object.defineProperty(seccomp, 'syscalls', { value: syscalls, enumerable: true });
    return syscalls;
  };
  Object.defineProperty(seccomp, 'syscalls', { get: read, enumerable: true, configurable: true });
}

const profileShape = shapeAt(specShape, ['linux', 'seccomp']) as Shape;
const readOrdinary = ordinaryReader(profileShape);

function parsePlain(text: string, bytes: Uint8Array): unknown {
  const parsed = parseQuickly(text, bytes);
  if (parsed === undefined || parsed.hasNulls || parsed.large.length > 0) return undefined;
  const walk = newWalk();
  const isPlain = conforms(parsed.value, profileShape, walk) && !walk.unknown && walk.keys === parsed.keys;
  return isPlain ? parsed.value : undefined;
}

/**
 * What to remember of a profile, undefined where that would not do: anything odd is said anew each time, and a listener is often
 * another one each time.
 */
export function headOf(profile: Uint8Array): string | undefined {
  const source = sourceOf('profile', profile);
  const value = readOrdinary(source) ?? parsePlain(source.text, profile);
  const head = value === undefined ? undefined : plainHead(value as Seccomp);
  if (head === undefined) return undefined;
  const found = { errors: [], warnings: [] };
  seccompRule.check({ linux: { seccomp: value } } as Spec, new Reporter('', found));
  return found.errors.length + found.warnings.length > 0 ? undefined : head;
}

/** The same of a profile from a config that was found to be plain: it is not looked at a second time. */
export function plainHead({ syscalls, ...head }: Seccomp): string | undefined {
  if (syscalls === undefined || head.listenerPath !== undefined || head.listenerMetadata !== undefined)
    return undefined;
  return JSON.stringify(head);
}
