// The verdict on the results of the engine scripts, and docs/engines.md. Called by all.sh.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonSync } from 'fs-extra/esm';
import { commandLine } from '../../src/build/command-line.mjs';

const { folder, write } = commandLine({
  name: 'table',
  call: 'node conformance/engines/table.mjs',
  about: 'The verdict on the results of the engine scripts, and docs/engines.md.',
  positionals: {
    folder: { demandOption: true, description: 'where the results are, a file an engine' },
    write: { demandOption: true, description: 'whether the page is written', choices: ['yes', 'no'] },
  },
});
const page = new URL('../../docs/engines.md', import.meta.url);
const begin = '<!-- written by npm run engines: begin -->';
const end = '<!-- written by npm run engines: end -->';
const template = `# Engines

What podman, containerd, Docker, Kubernetes' CRI and buildah do with tsrun as their runtime, beside the same with crun and runc. An operation
is a command and what it must print; the scripts are in conformance/engines. \`npm run engines\` runs them and rewrites what follows:
it fails if tsrun fails where a control succeeds, and if tsrun differs from a control without a reason in conformance/engines/reasons.json.
The machine is one with cgroup v1 and Debian 12 (bookworm). Names that begin with forky or experimental are engines of that suite, run in a root of it on this machine's kernel
(\`npm run engines -- --modern\`, conformance/modern). What is marked VM was run in a virtual machine with cgroup v2, every capability and, where it says so, systemd as process 1
(\`-- --vm\`, slow; with \`--modern\`, that suite's kernel and systemd). Engines marked v2 hold the cells about cgroups, devices and mounts only. Details show one word where all runtimes
that were asked say the same.

${begin}
${end}
`;

/** What the tables are: engine scripts that share their cells stand side by side. `of`: the package whose version the summary names. */
const tables = [
  { title: 'podman', of: 'podman', engines: { root: 'podman', rootless: 'rootless', 'root, v2': 'podman-v2' } },
  { title: 'An ordinary user, without an engine', of: '', engines: { rootless: 'rootless-alone' } },
  { title: 'containerd', of: 'containerd', engines: { '': 'containerd', v2: 'containerd-v2' } },
  { title: 'Docker', of: 'docker.io', engines: { '': 'docker', rootless: 'docker-rootless', v2: 'docker-v2' } },
  {
    title: "containerd's CRI, as Kubernetes drives it",
    of: 'containerd',
    engines: { '': 'cri', v2: 'cri-v2', systemd: 'cri-systemd' },
  },
  { title: 'CRI-O, asked by crictl', of: 'crio', engines: { '': 'crio', v2: 'crio-v2', systemd: 'crio-systemd' } },
  { title: 'buildah', of: 'buildah', engines: { '': 'buildah', v2: 'buildah-v2' } },
  { title: 'BuildKit by itself', of: 'buildkit', engines: { '': 'buildkit' } },
  { title: 'systemd as process 1, cgroup v2 (virtual machine)', of: 'systemd', engines: { '': 'systemd' } },
  { title: 'Checkpoint and restore (virtual machine)', of: 'criu', engines: { '': 'checkpoint' } },
];
/** The roots that the engines come from: this machine's, and those of conformance/modern, whose name begins an engine's. */
const roots = { bookworm: '', forky: 'forky-', experimental: 'experimental-' };
const columnsOf = ({ engines }) =>
  Object.entries(roots).flatMap(([root, prefix]) =>
    Object.entries(engines).map(([label, engine]) => ({ root, label, engine: `${prefix}${engine}` })),
  );

const rows = readdirSync(folder)
  .filter((name) => name.endsWith('.tsv'))
  .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean))
  .map((line) => line.split('\t'))
  .map(([engine, runtime, cell, verdict, note = '']) => ({ engine, runtime, cell, verdict, note }));
const versions = (existsSync(join(folder, 'versions.txt')) ? readFileSync(join(folder, 'versions.txt'), 'utf8') : '')
  .split('\n')
  .map((line) => line.split('\t'));
/** The version that a root had of a package when it was last run. */
const version = (root, name) => versions.find((row) => row[0] === root && row[1] === name)?.[2] ?? '';
const reasons = readJsonSync(new URL('reasons.json', import.meta.url));
const key = (engine, cell, runtime) => `${engine}\t${cell}\t${runtime}`;
const index = new Map(rows.map((row) => [key(row.engine, row.cell, row.runtime), row]));
const at = (engine, cell, runtime) => index.get(key(engine, cell, runtime));
const runtimes = ['tsrun', 'crun', 'runc'].filter((name) => rows.some((row) => row.runtime === name));
const peers = runtimes.filter((name) => name !== 'tsrun');
const of = (engine) => rows.filter((row) => row.engine === engine);
const words = { ok: 'ok', fail: '**fail**', skip: 'skipped' };
const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
const count = (engine, runtime) => {
  const mine = of(engine).filter((row) => row.runtime === runtime && row.cell !== '');
  if (at(engine, '', runtime)) return 'left out';
  const asked = mine.filter((row) => row.verdict !== 'skip').length;
  return mine.length === 0 ? '' : `${mine.filter((row) => row.verdict === 'ok').length} of ${asked}`;
};

/** Cells where tsrun's verdict is another one than a control's. */
function differences(engine) {
  return [...new Set(of(engine).map((row) => row.cell))].flatMap((cell) => {
    const mine = at(engine, cell, 'tsrun')?.verdict;
    const theirs = peers.filter((name) => at(engine, cell, name) && at(engine, cell, name).verdict !== mine);
    if (mine === undefined || theirs.length === 0) return [];
    const reason = reasons.find((row) => row.engines.includes(engine) && row.cells.includes(cell))?.reason;
    const missed = mine === 'fail' && theirs.some((name) => at(engine, cell, name).verdict === 'ok');
    return [{ engine, cell, mine, theirs, reason, missed }];
  });
}

/** What the runtimes say about one cell: one word if it is the same of all that were asked, else each one's. */
function verdicts(engine, cell) {
  const asked = runtimes.filter((name) => at(engine, cell, name));
  const said = asked.map((name) => words[at(engine, cell, name).verdict]);
  return new Set(said).size < 2 ? (said[0] ?? '') : asked.map((name, i) => `${name} ${said[i]}`).join(', ');
}

function table(each) {
  const columns = columnsOf(each).filter(({ engine }) => of(engine).length > 0);
  const cells = [...new Set(columns.flatMap(({ engine }) => of(engine).map((row) => row.cell)))].filter(Boolean);
  const head = ({ root, label }) => `${root} ${each.of && version(root, each.of)}${label && `, ${label}`}`.trim();
  return [
    '',
    `## ${each.title}`,
    '',
    line(['operation', ...columns.map(head)]),
    line(['---', ...columns.map(() => ':-:')]),
    ...cells.map((cell) => line([cell, ...columns.map(({ engine }) => verdicts(engine, cell))])),
  ];
}

/** Few differences by name, more as far as they fit. */
function named(differing) {
  const [most, few] = [3, 2];
  const cells = differing.map(({ cell }) => cell);
  if (cells.length <= most) return cells.join('; ');
  return `${cells.slice(0, few).join('; ')}; ${cells.length - few} more`;
}

/** One line an engine: what it was, as whom and on which cgroups it ran, and what came of it. */
function summary(each) {
  return columnsOf(each)
    .filter(({ engine }) => of(engine).length > 0)
    .map(({ root, engine }) => {
      const virtual = /systemd|checkpoint|-v2/.test(engine);
      return line([
        `${engine} (${each.of && `${each.of} ${version(root, each.of)}`.trim()})`.replace(' ()', ''),
        engine.includes('rootless') ? 'rootless' : 'root',
        virtual
          ? 'v2, VM'
          : engine.startsWith('experimental-') && engine !== 'experimental-buildah'
            ? 'v2, no controllers'
            : 'v1',
        ...runtimes.map((name) => count(engine, name)),
        named(differences(engine)),
      ]);
    });
}

const shown = tables.filter((each) => columnsOf(each).some(({ engine }) => of(engine).length > 0));
const names = shown
  .flatMap((each) => columnsOf(each).map(({ engine }) => engine))
  .filter((name) => of(name).length > 0);
const differing = names.flatMap(differences);
const skips = [
  ...new Set(
    rows
      .filter((row) => row.verdict === 'skip')
      .map((row) => `${row.engine}${row.cell === '' ? ` with ${row.runtime}` : ''}: ${row.note}`),
  ),
];
const text = [
  begin,
  line(['cells passed with', 'as', 'cgroup', ...runtimes, 'tsrun differs in']),
  line(['---', '---', '---', ...runtimes.map(() => '---'), '---']),
  ...shown.flatMap(summary),
  '',
  ...Object.keys(roots)
    .filter((root) => version(root, 'runc'))
    .map(
      (root) =>
        `- ${root}: ${['runc', 'crun', 'conmon', 'netavark', 'criu', 'systemd'].map((name) => `${name} ${version(root, name)}`).join(', ')}`,
    ),
  '',
  '## Where tsrun differs',
  '',
  differing.length === 0 ? 'Nowhere.' : line(['engine', 'operation', ...runtimes, 'why']),
  ...(differing.length === 0 ? [] : [line(['---', '---', ...runtimes.map(() => ':-:'), '---'])]),
  ...differing.map(({ engine, cell, reason }) =>
    line([
      engine,
      cell,
      ...runtimes.map((name) => words[at(engine, cell, name)?.verdict] ?? ''),
      reason ?? '**no reason yet**',
    ]),
  ),
  ...shown.flatMap(table),
  '',
  '## Skipped',
  '',
  ...(skips.length === 0 ? ['Nothing.'] : skips.map((skip) => `- ${skip}`)),
  end,
];

let wrong = 0;
const complain = (message) => {
  wrong = 1;
  console.log(message);
};
for (const { engine, cell, missed, reason } of differing) {
  if (missed) complain(`missed: ${engine}: ${cell}: ${at(engine, cell, 'tsrun').note}`);
  else if (reason === undefined) complain(`no reason: ${engine}: ${cell}`);
}
for (const engine of names) {
  for (const row of of(engine)) {
    if (row !== at(engine, row.cell, row.runtime)) complain(`two cells of one name: ${engine}: ${row.cell}`);
    if (row.runtime === 'tsrun' && row.verdict === 'fail' && !peers.some((name) => at(engine, row.cell, name)))
      complain(`missed, and no control was asked: ${engine}: ${row.cell}`);
  }
}
for (const [engine, cell] of reasons.flatMap(({ engines, cells }) =>
  engines.flatMap((name) => cells.map((cell) => [name, cell])),
))
  if (names.includes(engine) && !differing.some((row) => row.engine === engine && row.cell === cell))
    console.log(`a reason without a difference: ${engine}: ${cell}`);
for (const engine of names)
  console.log(`${engine}: ${runtimes.map((name) => `${name} ${count(engine, name)}`).join(', ')}`);
if (write === 'yes') {
  const before = existsSync(page) && readFileSync(page, 'utf8').includes(begin) ? readFileSync(page, 'utf8') : template;
  writeFileSync(page, `${before.split(begin)[0]}${text.join('\n')}${before.split(end)[1] ?? ''}`);
  console.log('written: docs/engines.md');
}
process.exitCode = wrong;
