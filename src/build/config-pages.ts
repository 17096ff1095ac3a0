/**
 * The pages of docs/config: what they say about themselves, and their examples. A page starts with a comment
 *
 *     <!-- keys: /process/rlimits; spec: config.md#posix-process; errors: TSR_RLIMIT_ORDER -->
 *
 * `keys` are what it explains, each with everything below it, or with `=` in front for that key alone. Everything
 * from the marker on is generated. docs/config/README.md tells readers how examples are written.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { readJsonSync } from 'fs-extra/esm';
import type { Spec } from '../bundle/types.js';

export const folder = 'docs/config';
export const marker = '<!-- Generated from here on by src/build/generate-config-docs.ts; run `npm run generate`. -->\n';

// biome-ignore lint/suspicious/noExplicitAny: fragments of JSON are merged, whatever is in them
type Json = any;

export type Host = 'v1' | 'v2';

export interface Example {
  readonly fragment: Json;
  /** Works on this cgroup version only. */
  readonly host?: Host;
  /** Needs what test machines do not have. */
  readonly planOnly: boolean;
  /** What the container's shell is told, and what it answers; one a cgroup version, or one for both. */
  readonly runs: readonly ExampleRun[];
  /** What `tsrun run` prints on standard error. */
  readonly error?: string;
}

export interface ExampleRun {
  readonly host?: Host;
  readonly command: string;
  readonly output: string;
}

export interface Page {
  readonly name: string;
  readonly title: string;
  readonly keys: readonly string[];
  readonly specification: readonly string[];
  readonly errors: readonly string[];
  /** Hand-written, with the comment on top. */
  readonly text: string;
  readonly examples: readonly Example[];
}

/** Numbers that a double cannot hold become bigints. */
const parseExactly = (text: string): Json =>
  JSON.parse(text.replace(/([:[,] *)(\d{16,})/g, '$1"#$2"'), (_, value) =>
    typeof value === 'string' && /^#\d+$/.test(value) ? BigInt(value.slice(1)) : value,
  );

/** The text of a config with bigints. */
export const configText = (config: Spec): string =>
  JSON.stringify(config, (_, value) => (typeof value === 'bigint' ? `#${value}` : value)).replace(/"#(\d+)"/g, '$1');

const fence = /^```(\w+)((?: \w+)*)\n([\s\S]*?)^```$/gm;

function hostOf(words: string): Host | undefined {
  return words.includes('v1') ? 'v1' : words.includes('v2') ? 'v2' : undefined;
}

/** `$ command`, further lines of it behind `> `, then its output. */
function runOf(text: string, host: Host | undefined): ExampleRun {
  const lines = text.trimEnd().split('\n');
  const commands = lines.filter(
    (line, at) => /^[$>] /.test(line) && lines.slice(0, at).every((one) => /^[$>] /.test(one)),
  );
  const command = commands.map((line) => line.slice(2)).join('\n');
  const output = lines.slice(commands.length).join('\n');
  return { command, output, ...(host === undefined ? {} : { host }) };
}

function examplesOf(name: string, text: string): Example[] {
  const examples: Example[] = [];
  for (const [, kind = '', words = '', body = ''] of text.matchAll(fence)) {
    const host = hostOf(words);
    const last = examples.at(-1);
    if (kind === 'json') {
      const planOnly = words.includes('plan');
      examples.push({ fragment: parseExactly(body), runs: [], planOnly, ...(host === undefined ? {} : { host }) });
    } else if (!last) throw new Error(`${folder}/${name}.md: a block of ${kind} comes before any example`);
    else if (kind === 'console') examples[examples.length - 1] = { ...last, runs: [...last.runs, runOf(body, host)] };
    else if (kind === 'error') examples[examples.length - 1] = { ...last, error: body.trimEnd() };
    else throw new Error(`${folder}/${name}.md: what is a block of ${kind}?`);
  }
  return examples;
}

const words = (text: string | undefined): string[] => text?.split(/[\s,]+/).filter((word) => word !== '') ?? [];

export function parsePage(name: string, whole: string): Page {
  const end = whole.indexOf(marker);
  const text = `${(end < 0 ? whole : whole.slice(0, end)).trimEnd()}\n`;
  const head = /^<!-- ([^>]*) -->\n/.exec(text)?.[1];
  const title = /^# (.+)$/m.exec(text)?.[1];
  if (head === undefined || title === undefined)
    throw new Error(`${folder}/${name}.md: no comment on top, or no title`);
  const fields = new Map(
    head.split(';').map((field) => [field.split(':')[0]!.trim(), field.slice(field.indexOf(':') + 1)]),
  );
  return {
    name,
    title: title.replaceAll('`', ''),
    keys: words(fields.get('keys')),
    specification: words(fields.get('spec')),
    errors: words(fields.get('errors')),
    text,
    examples: examplesOf(name, text),
  };
}

export function readPages(): Page[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .sort()
    .map((file) => parsePage(file.slice(0, -3), readFileSync(`${folder}/${file}`, 'utf8')));
}

const isObject = (value: Json): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Two lists are added to, as in a config one writes; of namespaces the later one of a type counts. All others are replaced. */
function mergeList(key: string, base: Json[], added: Json[]): Json[] {
  if (key === 'mounts') return [...base, ...added];
  if (key !== 'namespaces') return added;
  return [...base.filter(({ type }) => !added.some((one) => one.type === type)), ...added];
}

function merge(base: Json, added: Json): Json {
  const result = { ...base };
  for (const [key, value] of Object.entries<Json>(added)) {
    if (value === null) delete result[key];
    else if (isObject(value) && isObject(base[key])) result[key] = merge(base[key], value);
    else if (Array.isArray(value) && Array.isArray(base[key])) result[key] = mergeList(key, base[key], value);
    else result[key] = value;
  }
  return result;
}

/** The example as a whole config; null in a fragment removes the key. */
export function configOf({ fragment }: Example, command?: string): Spec {
  const base = readJsonSync(`${folder}/base.json`) as Json;
  const config = merge(base, fragment);
  if (command !== undefined) config.process.args = ['sh', '-c', command];
  return config as Spec;
}
