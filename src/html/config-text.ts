/**
 * A config as it may be shown: values of the environment and of annotations, and what programs are given, are left out (security.md S53).
 * Its text is laid out here, so that each pointer has a line although engines write all of it in one.
 */
type Value = unknown;
type Members = { readonly [key: string]: Value };

const hidden = '…';
const isMembers = (value: Value): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const nameOnly = (entry: Value): Value =>
  typeof entry === 'string' && entry.includes('=') ? `${entry.slice(0, entry.indexOf('='))}=${hidden}` : hidden;
const firstOnly = (list: readonly Value[]): Value[] => list.map((word, index) => (index === 0 ? word : hidden));

function redactProgram(program: Value): Value {
  if (!isMembers(program)) return program;
  const { args, env } = program;
  return {
    ...program,
    ...(Array.isArray(args) ? { args: firstOnly(args) } : {}),
    ...(Array.isArray(env) ? { env: env.map(nameOnly) } : {}),
    ...('commandLine' in program ? { commandLine: hidden } : {}),
  };
}

const mapValues = (value: Value, change: (value: Value) => Value): Value =>
  isMembers(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item)])) : value;

export function redact(config: Value): Value {
  if (!isMembers(config)) return {};
  const { process, annotations, hooks, linux } = config;
  const seccomp = isMembers(linux) ? linux.seccomp : undefined;
  const list = (value: Value): Value => (Array.isArray(value) ? value.map(redactProgram) : value);
  return {
    ...config,
    ...(process === undefined ? {} : { process: redactProgram(process) }),
    ...(annotations === undefined ? {} : { annotations: mapValues(annotations, () => hidden) }),
    ...(hooks === undefined ? {} : { hooks: mapValues(hooks, list) }),
    // What an agent is told may be a secret of the engine's.
    ...(isMembers(linux) && isMembers(seccomp) && 'listenerMetadata' in seccomp
      ? { linux: { ...linux, seccomp: { ...seccomp, listenerMetadata: hidden } } }
      : {}),
  };
}

export interface Laid {
  readonly text: string;
  /** Pointer to line, from 1 on. */
  readonly lines: ReadonlyMap<string, number>;
  /** Pointer to the line that its value ends in, where that is another. */
  readonly ends: ReadonlyMap<string, number>;
}

const widest = 100;
const scalar = (value: Value): string =>
  typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? 'null');
const childrenOf = (value: object): [string, Value][] =>
  Object.entries(value).filter(([, item]) => item !== undefined && typeof item !== 'function');
const escapeKey = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** A list or object of scalars in one line, if it is short. */
function short(value: object): string | undefined {
  const items = childrenOf(value);
  if (items.some(([, item]) => typeof item === 'object' && item !== null && childrenOf(item).length > 0))
    return undefined;
  const isList = Array.isArray(value);
  const text = items.map(([key, item]) => (isList ? '' : `${JSON.stringify(key)}: `) + inline(item)).join(', ');
  if (text.length > widest) return undefined;
  return isList ? `[${text}]` : text === '' ? '{}' : `{ ${text} }`;
}
const inline = (value: Value): string =>
  typeof value === 'object' && value !== null ? (Array.isArray(value) ? '[]' : '{}') : scalar(value);

/** JSON of the value with two blanks a level, and where each pointer is in it. */
export function layOut(value: Value): Laid {
  const lines = new Map<string, number>();
  const ends = new Map<string, number>();
  const out: string[] = [''];
  const mark = (item: Value, pointer: string): void => {
    lines.set(pointer, out.length);
    if (typeof item === 'object' && item !== null)
      for (const [key, child] of childrenOf(item)) mark(child, `${pointer}/${escapeKey(key)}`);
  };
  const write = (item: Value, pointer: string, indent: string): void => {
    const one = typeof item !== 'object' || item === null ? scalar(item) : short(item);
    if (one !== undefined) {
      mark(item, pointer);
      out[out.length - 1] += one;
      return;
    }
    lines.set(pointer, out.length);
    const [open, close] = Array.isArray(item) ? (['[', ']'] as const) : (['{', '}'] as const);
    out[out.length - 1] += open;
    const items = childrenOf(item as object);
    items.forEach(([key, child], index) => {
      out.push(`${indent}  ${Array.isArray(item) ? '' : `${JSON.stringify(key)}: `}`);
      write(child, `${pointer}/${escapeKey(key)}`, `${indent}  `);
      if (index + 1 < items.length) out[out.length - 1] += ',';
    });
    out.push(`${indent}${close}`);
    ends.set(pointer, out.length);
  };
  write(value, '', '');
  return { text: out.join('\n'), lines, ends };
}

/** The lines of a pointer, or of the nearest key above it that is there. */
export function linesOf({ lines, ends }: Laid, pointer: string): readonly [first: number, last: number] | undefined {
  for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const line = lines.get(at);
    if (line !== undefined) return [line, ends.get(at) ?? line];
  }
  return undefined;
}

export const lineOf = (laid: Laid, pointer: string): number | undefined => linesOf(laid, pointer)?.[0];
