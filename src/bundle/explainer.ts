/**
 * The door to explain.ts. That comes with what ajv makes of the schemas, 120 KB which each create and exec would load, and
 * is wanted only after a document was refused: the command line loads it then, the library and tests at once.
 */
import type { Failure } from '../errors/error.js';

export type DocumentName = 'spec' | 'process' | 'resources';
/** Everything wrong with the shape of a document. */
export type Explainer = (document: unknown, name: DocumentName) => Failure[];

/** Thrown where a document was refused and explain.ts is not loaded. `again` throws the whole story once it is. */
export class Unexplained extends Error {
  again: () => unknown = () => undefined;
}

let provided: Explainer | undefined;

export function provideExplainer(explainer: Explainer): void {
  provided = explainer;
}

/** @throws Unexplained */
export function explainer(): Explainer {
  if (provided === undefined) throw new Unexplained('explain.ts is not loaded');
  return provided;
}
