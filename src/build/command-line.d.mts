import type { InferredOptionTypes, Options, PositionalOptions } from 'yargs';

interface Tool<P, O> {
  /** Begins its errors. */
  readonly name: string;
  /** What one types to start it. */
  readonly call: string;
  readonly about: string;
  readonly positionals?: P;
  readonly options?: O;
  readonly examples?: readonly (readonly [words: string, meaning: string])[];
}

interface Read<T, Type extends string> {
  type: Type;
  requiresArg: true;
  description: string;
  coerce: (given: unknown) => T;
}

export const option: {
  text(description: string): { type: 'string'; requiresArg: true; description: string };
  flag(description: string): { type: 'boolean'; default: false; description: string };
  count(description: string, usual: number, least?: number): Read<number, 'number'> & { default: number };
  list(description: string, known?: readonly string[]): Read<string[], 'string'> & { default: string };
};

// `{}` is what yargs infers from no options.
export function commandLine<
  P extends Readonly<Record<string, PositionalOptions>> = Record<never, PositionalOptions>,
  O extends Readonly<Record<string, Options>> = Record<never, Options>,
>(tool: Tool<P, O>, words?: readonly string[]): InferredOptionTypes<P> & InferredOptionTypes<O>;
