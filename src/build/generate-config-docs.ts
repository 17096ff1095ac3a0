/** The generated half of docs/config: what schema, plan and error catalogue say about each key, and the index. */
import { singly } from '../plan/step-items.js';
import { readdirSync, readFileSync } from 'node:fs';
import { catalogue } from '../errors/catalogue.js';
import { TsrunError } from '../errors/error.js';
import { renderFailure } from '../errors/render.js';
import { compileCreate } from '../plan/compile.js';
import { compileCgroup } from '../plan/phases/cgroup.js';
import { placeCgroup } from '../plan/phases/cgroup-placement.js';
import { hostFacts } from '../plan/phases/cgroup-test-facts.js';
import { compileResctrl } from '../plan/phases/resctrl.js';
import type { Step } from '../plan/step.js';
import { standIn, testOptions } from '../plan/test-inputs.js';
import { configOf, type Example, folder, type Host, marker, type Page, readPages } from './config-pages.js';
import { type Key, schemaKeys } from './config-keys.js';
import type { GeneratedFile } from './generated-file.js';

const specification = 'https://github.com/opencontainers/runtime-spec/blob/v1.3.0/';

const isWithin = (pointer: string, key: string): boolean => pointer === key || pointer.startsWith(`${key}/`);

/** The page with the longest key that covers this one. */
function pageOf(pointer: string, pages: readonly Page[]): Page | undefined {
  let best: { page: Page; length: number } | undefined;
  for (const page of pages) {
    for (const key of page.keys) {
      const covers = key.startsWith('=') ? pointer === key.slice(1) : isWithin(pointer, key);
      if (covers && key.length > (best?.length ?? 0)) best = { page, length: key.replace('=', '').length };
    }
  }
  return best?.page;
}

/** Schema pointers have `*` where a config has an index or a name. */
const matches = (pointer: string, key: string): boolean =>
  new RegExp(`^${key.replace('=', '').replaceAll('*', '[^/]+')}${key.startsWith('=') ? '$' : '(/|$)'}`).test(pointer);

function stepsOf(example: Example, host: Host): readonly Step[] {
  const spec = configOf(example);
  const facts = { ...hostFacts(host), uid: 0, gid: 0, inUserNamespace: false };
  const { seccomp, intelRdt } = spec.linux ?? {};
  const cgroup = compileCgroup(spec, placeCgroup(spec.linux?.cgroupsPath, 'demo', facts, 'cgroupfs'), facts);
  const agent = { path: seccomp?.listenerPath ?? '', before: '', between: '', after: '' };
  return compileCreate(spec, facts, {
    ...testOptions,
    id: 'demo',
    mode: 'run',
    cgroup,
    ...(seccomp
      ? { seccomp: { ...standIn(seccomp), filter: new Uint8Array(0), ...(agent.path ? { agent } : {}) } }
      : {}),
    ...(intelRdt
      ? { resctrl: compileResctrl(intelRdt, 'demo', { mountPoint: '/sys/fs/resctrl', schemataOf: () => undefined }) }
      : {}),
  }).steps;
}

/** The lines of the plan that the page's keys cause, or why there is no plan. */
function planText(page: Page, example: Example, host: Host): string {
  try {
    const steps = stepsOf(example, host)
      .flatMap(singly)
      .filter(({ pointer }) => page.keys.some((key) => matches(pointer, key)));
    const width = Math.max(...steps.map(({ pointer }) => pointer.length));
    return steps
      .map(
        ({ role, pointer, summary }) =>
          `    ${role.padEnd(6)}  ${pointer.padEnd(width)}  ${summary.replace(/\(\d+ rules, 0 instructions\)/, '').trimEnd()}\n`,
      )
      .join('');
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    return `    refused: ${renderFailure(error.failure)}\n`;
  }
}

function planSection(page: Page): string {
  const example = page.examples.find(({ error }) => error === undefined);
  if (!example) return '';
  const plans = (['v2', 'v1'] as const)
    .filter((host) => example.host === undefined || example.host === host)
    .map((host) => [host, planText(page, example, host)] as const)
    .filter(([, text]) => text !== '');
  if (plans.length === 0) return '';
  const same = plans.every(([, text]) => text === plans[0]![1]);
  const body = same ? `\n${plans[0]![1]}` : plans.map(([host, text]) => `\nOn cgroup ${host}:\n\n${text}`).join('');
  return `\n## What tsrun does for the first example\n${body}`;
}

function keyRow({ pointer, type, required, description }: Key): string {
  const cells = [`\`${pointer}\``, required ? `${type}, required` : type, description];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}

function generatedPart(page: Page, keys: readonly Key[]): string {
  const links = page.specification.map(
    (place) => `[${place.split('#')[0]}, ${place.split('#')[1] ?? 'whole'}](${specification}${place})`,
  );
  const errors = page.errors
    .map((code) => `- [${code}](../errors.md#${code.toLowerCase()}): ${catalogue.get(code)}\n`)
    .join('');
  return (
    `## Reference\n\n| key | type | |\n|---|---|---|\n${keys.map(keyRow).join('')}` +
    `\nSpecification: ${links.join('; ')}.\n` +
    planSection(page) +
    (errors === '' ? '' : `\n## Errors\n\n${errors}`)
  );
}

/** A line a key of what nobody may forget. @throws Error with all of them. */
function checkPages(pages: readonly Page[], keys: readonly Key[]): void {
  const problems: string[] = [];
  const pointers = new Set(keys.map(({ pointer }) => pointer));
  for (const { pointer } of keys) if (!pageOf(pointer, pages)) problems.push(`no page explains ${pointer}`);
  for (const { name, keys: own, errors, specification: places } of pages) {
    const at = `${folder}/${name}.md`;
    for (const key of own) if (!pointers.has(key.replace('=', ''))) problems.push(`${at}: the schema has no ${key}`);
    for (const code of errors) if (!catalogue.has(code)) problems.push(`${at}: there is no error ${code}`);
    if (places.length === 0) problems.push(`${at}: which section of the specification?`);
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

function indexText(pages: readonly Page[], keys: readonly Key[]): string {
  const rows = keys.map(({ pointer, type }) => {
    const { name, title } = pageOf(pointer, pages)!;
    return `| \`${pointer}\` | ${type.replaceAll('|', '\\|')} | [${title}](${name}.md) |\n`;
  });
  return `<!-- Generated by src/build/generate-config-docs.ts; run \`npm run generate\`. Do not edit. -->
# config.json, key by key

Every key of runtime-spec 1.3 for Linux, and the page that explains it: what it does, what the kernel does, examples, errors.

## How to read the examples

An example is a fragment. Merged over [base.json](base.json), key by key, it is the config of a bundle; \`mounts\` and \`namespaces\` are
added to, other lists replaced, and null takes a key away. The root filesystem is busybox; the bundle also has a folder \`data\` with a file
\`greeting\`. Behind \`$\` stands what a shell in the container is told, below it what it answers (standard error
last). A block \`v1\` or \`v2\` is for hosts with
that version of cgroups, one \`plan\` is not run, since it needs what test machines do not have; \`…\` stands for what differs from machine to machine.

These are tests: each example is planned and, where the machine can, run (\`src/build/config-pages.test.ts\`).

Any key can give the errors for a value of the wrong form: TSR_CONFIG_TYPE, TSR_CONFIG_RANGE, TSR_CONFIG_NAME, TSR_CONFIG_FORMAT,
TSR_CONFIG_MISSING; and TSR_STEP_FAILED where the kernel refuses a step. The pages list those of their keys alone.

## Keys

\`*\` stands for an index or a name.

| key | type | page |
|---|---|---|
${rows.join('')}`;
}

/** docs/config: the index, and the generated part of every page. */
export function generateConfigDocs(): GeneratedFile[] {
  const pages = readPages();
  const keys = schemaKeys();
  checkPages(pages, keys);
  const files = pages.map((page) => {
    const own = keys.filter(({ pointer }) => pageOf(pointer, pages) === page);
    return { path: `${folder}/${page.name}.md`, text: `${page.text}\n${marker}\n${generatedPart(page, own)}` };
  });
  return [{ path: `${folder}/README.md`, text: indexText(pages, keys) }, ...files];
}

/** Where errors of a config come from. */
const sources = ['src/bundle/rules', 'src/plan'];

/** Codes that a config can be refused with and that no page explains. */
export function undocumentedErrors(): string[] {
  const told = new Set(readPages().flatMap(({ errors }) => errors));
  const files = sources.flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => `${directory}/${name}`),
  );
  const codes = files.flatMap((file) => readFileSync(file, 'utf8').match(/TSR_[A-Z_]+/g) ?? []);
  // Mistakes of tsrun's own, and what is about exec and checkpoints.
  const others = /^TSR_(PLAN|CRIU)_|^TSR_CGROUP_SUB_PATH$/;
  return [...new Set(codes)].filter((code) => !others.test(code) && !told.has(code)).sort();
}
