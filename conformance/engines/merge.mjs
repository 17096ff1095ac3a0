// Puts the results of one run into the file of its engine, in place of what the same runtime had there.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { commandLine } from '../../src/build/command-line.mjs';

const { file, runtime, fresh, part } = commandLine({
  name: 'merge',
  call: 'node conformance/engines/merge.mjs',
  about: 'Puts the results of one run into the file of its engine, in place of what the same runtime had there.',
  positionals: {
    file: { demandOption: true, description: 'of the engine' },
    runtime: { demandOption: true, description: 'its name' },
    fresh: { demandOption: true, description: 'the results of the run' },
    part: { description: "'part': only some cells were run, the others keep their results" },
  },
});
const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []);
// What changes from run to run would only hide what really changed.
const steady = (line) =>
  line
    .replaceAll(/\/?\S*\/tmp\/tmp\.\w+|[0-9a-f]{64}/g, '…')
    .replaceAll(/time="[^"]*"|\b\d{4}-\d\d-\d\d[T ][\d:.]+Z?/g, '…')
    .replaceAll(/\S*\/dist\/tsrun/g, 'tsrun')
    .trimEnd();
const cell = (line) => line.split('\t')[2];
const lines = read(fresh).map(steady);
const seen = new Set(lines.map(cell));
const kept = read(file).filter((line) => line.split('\t')[1] !== runtime || (part && !seen.has(cell(line))));
const order = new Map([...kept, ...lines].map((line) => [line.split('\t')[1], 0]));
const all = [...order.keys()]
  .sort()
  .flatMap((name) => [...kept, ...lines].filter((line) => line.split('\t')[1] === name));
writeFileSync(file, `${all.join('\n')}\n`);
