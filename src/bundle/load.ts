/** Reading one document, whatever its kind. What is wrong with it becomes one error that names every fault. */
import { type Failure, TsrunError } from '../errors/error.js';
import { Unexplained } from './explainer.js';
import { decodeText, type ReadOptions, readTextFile, type Source } from './read.js';
import { type Checked, checkSource, type DocumentKind } from './validate.js';

/** A failure that is only worth a warning, or one among others. */
export type Finding = Failure;

/** How many further faults the one line of an error lists. */
const mostListed = 5;

/** The first fault, with the others in its hint: callers keep one line. */
export function failureOf(errors: readonly Finding[]): Failure {
  const [first, ...others] = errors;
  if (first === undefined) throw new RangeError('there is no fault to report');
  if (others.length === 0) return first;
  const listed = others.slice(0, mostListed).map(({ pointer, message }) => `${pointer}: ${message}`);
  const more = others.length > mostListed ? [...listed, `${others.length - mostListed} more`] : listed;
  const hint = `${first.hint === undefined ? '' : `${first.hint}; `}also wrong: ${more.join('; ')}`;
  return { ...first, hint };
}

function accept<T>(checked: Checked<T>): T {
  if (checked.errors.length > 0) throw new TsrunError(failureOf(checked.errors));
  return checked.value;
}

export interface Loaded<T> {
  readonly value: T;
  readonly warnings: readonly Finding[];
  readonly source: Source;
  /** As `Checked` has it. */
  readonly plain: boolean;
}

/** Reads a file, or takes its bytes. @throws TsrunError with the first fault and, in `hint`, the others. */
export function loadDocument<T>(
  source: Uint8Array | string,
  kind: DocumentKind<T>,
  name: string,
  options?: ReadOptions,
): Loaded<T> {
  return loadSource(typeof source === 'string' ? readTextFile(source, options) : decodeText(source, name), kind);
}

/** The same, of a text that was read. */
export function loadSource<T>(source: Source, kind: DocumentKind<T>): Loaded<T> {
  try {
    const checked = checkSource(source, kind);
    return { value: accept(checked), warnings: checked.warnings, source, plain: checked.plain ?? false };
  } catch (error) {
    // With the text that was read: the source may be a pipe.
    if (error instanceof Unexplained) error.again = () => accept(checkSource(source, kind));
    throw error;
  }
}
