// The verdict on a run of the engine scripts, and docs/engines.md. Called by all.sh: node table.mjs RESULTS yes|no
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const [results, write] = process.argv.slice(2);
const page = new URL('../../docs/engines.md', import.meta.url);
const begin = '<!-- written by npm run engines: begin -->';
const end = '<!-- written by npm run engines: end -->';
const template = `# Engines

What podman, containerd, Docker and buildah do with tsrun as their runtime, beside the same with crun and runc. Each cell is a
command and what it must print; the scripts are in conformance/engines. \`npm run engines\` runs them and rewrites the tables.

${begin}
${end}
`;

const rows = readFileSync(results, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => line.split('\t'))
  .map(([engine, runtime, cell, verdict, note]) => ({ engine, runtime, cell, verdict, note }));
const runtimes = [...new Set(rows.map((row) => row.runtime))];
const engines = [...new Set(rows.map((row) => row.engine))];
const at = (engine, cell, runtime) =>
  rows.find((row) => row.engine === engine && row.cell === cell && row.runtime === runtime);
const cellsOf = (engine) => [...new Set(rows.filter((row) => row.engine === engine).map((row) => row.cell))];
const sign = (row) => (row === undefined ? '' : { ok: '✓', fail: '**✗**', skip: '–' }[row.verdict]);
const line = (cells) => `| ${cells.join(' | ')} |`;
const count = (engine, runtime) => {
  const mine = rows.filter((row) => row.engine === engine && row.runtime === runtime);
  return `${mine.filter((row) => row.verdict === 'ok').length} of ${mine.filter((row) => row.verdict !== 'skip').length}`;
};

const missed = [];
const text = [begin, '', line(['passed', ...runtimes]), line(['---', ...runtimes.map(() => '---')])];
for (const engine of engines) text.push(line([engine, ...runtimes.map((runtime) => count(engine, runtime))]));
for (const engine of engines) {
  text.push('', `## ${engine}`, '', line(['cell', ...runtimes]), line(['---', ...runtimes.map(() => ':-:')]));
  for (const cell of cellsOf(engine)) {
    text.push(line([`${cell.replaceAll('|', '\\|')}`, ...runtimes.map((runtime) => sign(at(engine, cell, runtime)))]));
    const peers = runtimes
      .filter((runtime) => runtime !== 'tsrun')
      .map((runtime) => at(engine, cell, runtime)?.verdict);
    const mine = at(engine, cell, 'tsrun');
    if (mine?.verdict === 'fail' && (peers.length === 0 || peers.includes('ok')))
      missed.push(`${engine}: ${cell}: ${mine.note}`);
  }
}
const failures = rows.filter((row) => row.verdict === 'fail');
if (failures.length > 0) {
  text.push('', '## What the failed cells said', '');
  for (const row of failures)
    text.push(
      `- ${row.engine}, ${row.runtime}, ${row.cell}: \`${row.note.replaceAll('`', "'").replaceAll(/[0-9a-f]{64}|\/tmp\/tmp\.\w+/g, '…')}\``,
    );
}
text.push('', end);

for (const engine of engines)
  for (const runtime of runtimes) console.log(`${engine} with ${runtime}: ${count(engine, runtime)}`);
for (const cell of missed) console.log(`missed: ${cell}`);
if (write === 'yes') {
  const before = existsSync(page) && readFileSync(page, 'utf8').includes(begin) ? readFileSync(page, 'utf8') : template;
  writeFileSync(page, `${before.split(begin)[0]}${text.join('\n')}${before.split(end)[1] ?? ''}`);
  console.log('written: docs/engines.md');
}
process.exitCode = missed.length > 0 ? 1 : 0;
