/** Is a document valid, and what is wrong with it? Shape first (schema), then the rules; everything is gathered. */
import type { Failure } from '../errors/error.js';
import { clip } from './describe.js';
import { type DocumentName, explainer } from './explainer.js';
import { type Literal, scanExactly } from './json64.js';
import { dropNulls, type Nulls } from './nulls.js';
import type { ReadOrdinary } from './ordinary.js';
import { mayHaveBadStrings, type Parsed, parseQuickly } from './parse.js';
import { type Path, pointerOf } from './pointer.js';
import type { Source } from './read.js';
import type { Findings, RuleRun } from './rule.js';
import { conforms, forgetPrototypes, newWalk, type Shape, shapeAt } from './shape.js';
import { findBadStrings } from './strings.js';
import { countUnseenKeys, findUnknownKeys } from './unknown-keys.js';

/** One kind of document: a config, a process file or a resources file. */
export interface DocumentKind<T> {
  readonly shape: Shape;
  readonly name: DocumentName;
  readonly runRules: (value: T, run: RuleRun) => void;
  readonly readOrdinary: ReadOrdinary;
}

/** A value, to be trusted only where `errors` is empty. */
export interface Checked<T> extends Findings {
  readonly value: T;
  /** There is nothing to say about it, and JSON.parse alone has read it right: so that is true of each part of its text, too. */
  readonly plain?: boolean;
}

/** Reads and checks a text. @throws TsrunError where it is no JSON at all. */
export function checkSource<T>(source: Source, kind: DocumentKind<T>): Checked<T> {
  return checkQuickly(source, kind) ?? checkExactly(source, kind);
}

/** The way of nearly all documents; undefined when anything needs a closer look at the text. */
export function checkQuickly<T>(source: Source, kind: DocumentKind<T>): Checked<T> | undefined {
  const ordinary = kind.readOrdinary(source);
  if (ordinary !== undefined) return askRules(ordinary as T, kind, { errors: [], warnings: [] }, true);
  const parsed = parseQuickly(source.text, source.bytes);
  return parsed && checkParsed(parsed, kind);
}

/** @param isPlain whether JSON.parse alone has read it right */
function askRules<T>(value: T, kind: DocumentKind<T>, findings: Findings, isPlain: boolean): Checked<T> {
  kind.runRules(value, { findings, misshapen: [] });
  const { errors, warnings } = findings;
  return { value, errors, warnings, plain: isPlain && errors.length + warnings.length === 0 };
}

function checkParsed<T>(
  { value, keys: written, large, hasNulls }: Parsed,
  kind: DocumentKind<T>,
): Checked<T> | undefined {
  const nulls = hasNulls ? dropNulls(value, kind.shape) : noNulls;
  // Large integers are found by the number of their key.
  if (nulls.count > 0 && large.length > 0) return undefined;
  const keys = written - nulls.count;
  const walk = newWalk(large);
  if (!conforms(value, kind.shape, walk) || walk.placed < large.length) return undefined;
  const found: Findings = { errors: [], warnings: [...nulls.warnings] };
  if (walk.unknown) {
    // A key such as '1' comes first in the value, wherever it is in the text; only unknown ones can be in the way.
    if (large.length > 0) return undefined;
    if (walk.keys + countUnseenKeys(value, kind.shape) !== keys) return undefined;
    found.warnings.push(...findUnknownKeys(value, kind.shape));
    forgetPrototypes(walk);
  } else if (walk.keys !== keys) return undefined;
  const isPlain = !hasNulls && large.length === 0 && !walk.unknown;
  return askRules(value as T, kind, found, isPlain);
}

const noNulls: Nulls = { count: 0, warnings: [] };

/** The way of a document with a fault, a large number, or something else that JSON.parse alone cannot be trusted with. */
function checkExactly<T>(source: Source, kind: DocumentKind<T>): Checked<T> {
  const notes = scanExactly(source.text, `'${source.name}'`);
  const value: unknown = JSON.parse(source.text);
  const integers = readLiterals(notes.literals, kind.shape);
  for (const [path, exact] of integers.values) putAt(value, path, exact);
  const found: Findings = { errors: [...notes.duplicates, ...integers.errors], warnings: [] };
  const again = (): unknown => JSON.parse(source.text);
  gather(value, again, kind, found, mayHaveBadStrings(source.bytes ?? new TextEncoder().encode(source.text)));
  return { value: value as T, ...found };
}

/** A value made of parts that were checked, without bad strings; undefined when its text has to be looked at, if only for the sentence. */
export function checkMade<T>(value: T, kind: DocumentKind<T>): Checked<T> | undefined {
  const walk = newWalk();
  if (!conforms(value, kind.shape, walk) || walk.unknown) return undefined;
  const checked = askRules(value, kind, { errors: [], warnings: [] }, false);
  return checked.errors.length > 0 ? undefined : checked;
}

/**
 * Checks a value that did not come from text: a config made by a program. It may hold bigints for 64-bit keys. The
 * value is taken over: its maps lose their prototypes.
 */
export function checkValue<T>(value: unknown, kind: DocumentKind<T>): Checked<T> {
  const found: Findings = { errors: readLiterals(bigintsOf(value), kind.shape).errors, warnings: [] };
  const plain = (): unknown =>
    JSON.parse(JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? Number(item) : item)));
  gather(value, plain, kind, found, true);
  return { value: value as T, ...found };
}

/** Adds everything there is to find. `plain` gives the value without bigints, which ajv does not know. */
function gather<T>(
  value: unknown,
  plain: () => unknown,
  kind: DocumentKind<T>,
  found: Findings,
  maybeBadStrings: boolean,
): void {
  found.warnings.push(...dropNulls(value, kind.shape).warnings);
  const walk = newWalk();
  if (!conforms(value, kind.shape, walk)) {
    const known = new Set(found.errors.map(({ pointer }) => pointer));
    const document = plain();
    dropNulls(document, kind.shape);
    const explained = explainer()(document, kind.name).filter(({ pointer }) => !known.has(pointer));
    found.errors.push(...explained);
    // A disagreement with ajv would be our own fault, and must not let the document pass.
    if (found.errors.length === 0) found.errors.push(unexplained);
  }
  if (maybeBadStrings) found.errors.push(...findBadStrings(value, kind.shape));
  found.warnings.push(...findUnknownKeys(value, kind.shape));
  forgetPrototypes(walk);
  const run = { findings: found, misshapen: [...found.errors] };
  if (typeof value === 'object' && value !== null) kind.runRules(value as T, run);
}

const unexplained: Failure = {
  code: 'TSR_CONFIG_FORMAT',
  message: 'does not have the shape the schema demands',
  pointer: '',
};

interface Integers {
  readonly errors: Failure[];
  readonly values: (readonly [path: Path, value: bigint])[];
}

/** The numbers at keys of the schema that a double does not tell the truth about. */
function readLiterals(literals: readonly Literal[], shape: Shape): Integers {
  const integers: Integers = { errors: [], values: [] };
  for (const { path, text } of literals) {
    const wanted = shapeAt(shape, path);
    if (wanted?.is !== 'integer') continue;
    const pointer = pointerOf(path);
    if (/[.eE]/.test(text)) {
      integers.errors.push({
        code: 'TSR_CONFIG_INTEGER',
        pointer,
        message: `must be an integer without fraction and exponent, not ${clip(text)}`,
      });
      continue;
    }
    // The time BigInt takes grows with the square of the digits; thirty of them are out of any range as well.
    const exact = BigInt(text.slice(0, 30));
    if (exact > wanted.max || exact < wanted.min) {
      const bound = exact > wanted.max ? `at most ${wanted.max}` : `at least ${wanted.min}`;
      integers.errors.push({ code: 'TSR_CONFIG_RANGE', pointer, message: `must be ${bound}, not ${clip(text)}` });
    } else integers.values.push([path, exact]);
  }
  return integers;
}

/** The bigints of a value, as if they had been read. */
function bigintsOf(value: unknown, path: Path = []): Literal[] {
  if (typeof value === 'bigint') return [{ path, text: String(value) }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => bigintsOf(item, [...path, key]));
}

function putAt(document: unknown, path: Path, value: bigint): void {
  let here = document as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) here = here[key] as Record<string | number, unknown>;
  here[path.at(-1)!] = value;
}
