import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Who may import whom: design.md, "The tree". An area not listed here imports nothing of ours. */
const allowed: { readonly [area: string]: readonly string[] } = {
  html: ['host'],
  trace: ['html', 'executor', 'tables', 'errors', 'generated'],
  main: ['cli', 'host', 'errors', 'tables'],
  cli: [
    'trace',
    'html',
    'operations',
    'bundle',
    'plan',
    'linux',
    'state',
    'errors',
    'host',
    'tables',
    'generated',
    'executor',
  ],
  operations: ['bundle', 'plan', 'executor', 'linux', 'state', 'errors', 'host', 'tables', 'generated'],
  bundle: ['host', 'tables', 'errors', 'generated'],
  plan: ['tables', 'errors', 'generated'],
  executor: ['host', 'tables', 'errors', 'generated'],
  linux: ['host', 'tables', 'errors', 'generated', 'bundle'],
  state: ['host', 'tables', 'errors', 'generated'],
  host: ['errors', 'tables', 'generated'],
  index: ['operations', 'bundle', 'plan', 'linux', 'errors', 'state', 'host', 'tables'],
  build: [
    'conformance',
    'plan',
    'tables',
    'errors',
    'generated',
    'cli',
    'bundle',
    'linux',
    'operations',
    'executor',
    'state',
    'host',
  ],
};
/** Types cross these borders: they are data, and leave nothing at run time. */
const allowedTypes: { readonly [area: string]: readonly string[] } = {
  plan: ['bundle', 'linux'],
  linux: ['bundle', 'plan'],
  tables: ['generated'],
  generated: ['bundle'],
  errors: ['tables', 'generated'],
};
/** errors/ reads the errno table to print names. */
const exceptions = new Set(['errors>tables']);
const packagesOf: { readonly [name: string]: readonly string[] } = {
  koffi: ['host'],
  yargs: ['build'],
  ajv: ['build'],
  'fs-extra': ['build'],
  esbuild: ['build'],
};
const nodeAreas = new Set(['host', 'cli', 'build', 'main']);

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function* sources(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.ts$/.test(path)) yield path;
  }
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const pattern = /^(?:import|export)\s+(type\s+)?(?:[^'";]*?from\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    file,
    target: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
  }));
}

const areaOf = (file: string): string => {
  const parts = file.replace(/^src\//, '').split('/');
  return parts.length === 1 ? (parts[0] ?? '').replace(/\.ts$/, '') : (parts[0] ?? '');
};

const isTest = (file: string): boolean => /\.test\.ts$|(^|\/)test-|-test-|\/fixtures?\.ts$/.test(file);

function problemOf({ file, target, typeOnly }: Import): string | undefined {
  const area = areaOf(file);
  if (isTest(file)) return undefined;
  if (target.startsWith('node:'))
    return nodeAreas.has(area) ? undefined : `${file}: imports ${target}; only host, cli and build may`;
  if (!target.startsWith('.')) {
    const owner = packagesOf[target.split('/')[0] ?? ''];
    return owner?.includes(area) ? undefined : `${file}: imports the package '${target}', which is not ${area}'s`;
  }
  const to = areaOf(normalize(join(dirname(file), target)).replace(/\.js$/, '.ts'));
  if (to === area || allowed[area]?.includes(to) || exceptions.has(`${area}>${to}`)) return undefined;
  if (typeOnly && allowedTypes[area]?.includes(to)) return undefined;
  return `${file}: ${area} may not import ${typeOnly ? 'types of ' : ''}${to} ('${target}')`;
}

/** Subsystems of linux/ do not know each other; operations/ joins them. */
function roomProblem({ file, target }: Import): string | undefined {
  if (!file.startsWith('src/linux/') || !target.startsWith('.') || isTest(file)) return undefined;
  const to = normalize(join(dirname(file), target));
  const room = (path: string): string => /^src\/linux\/([^/]+)\//.exec(path)?.[1] ?? '';
  if (room(file) === '' || room(to) === '' || room(file) === room(to)) return undefined;
  return `${file}: ${room(file)} may not import ${room(to)}`;
}

function cycles(imports: readonly Import[]): string[] {
  const edges = new Map<string, string[]>();
  for (const { file, target } of imports) {
    if (!target.startsWith('.')) continue;
    const to = normalize(join(dirname(file), target)).replace(/\.js$/, '.ts');
    edges.set(file, [...(edges.get(file) ?? []), to]);
  }
  const found: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      found.push(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
      return;
    }
    state.set(file, 'open');
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of edges.keys()) visit(file, []);
  return found;
}

/** Every breach of the import rules, one line each. */
export function checkImports(): string[] {
  const all = [...sources('src')].flatMap(importsOf);
  const problems = all.flatMap((one) => [problemOf(one), roomProblem(one)]).filter((text) => text !== undefined);
  return [...problems, ...cycles(all)];
}
