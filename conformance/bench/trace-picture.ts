// What docs/performance.md shows of a trace: its critical path as text, and docs/trace.png, the timeline in Chromium.
// podman-trace.sh makes a trace, and calls this.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { commandLine } from '../../src/build/command-line.mjs';
import { clipTo } from '../../src/cli/terminal.js';
import { executorPath } from '../../src/host/executor.js';
import { Browser } from '../../src/trace/test-browser.js';

const { trace } = commandLine({
  name: 'trace-picture',
  call: 'node src/build/run-ts.mjs conformance/bench/trace-picture.ts',
  about: 'What docs/performance.md shows of a trace: its critical path as text, and docs/trace.png.',
  positionals: { trace: { type: 'string', demandOption: true, description: 'the file' } },
});
const tsrun = (...args: string[]): string => execFileSync(executorPath(), args, { encoding: 'utf8' });

const page = 'docs/performance.md';
const [begin, end] = ['<!-- written by podman-trace.sh: begin -->', '<!-- written by podman-trace.sh: end -->'];

/** From the title of the critical path to the next one. */
function pathText(): string {
  const text = tsrun('trace', trace);
  const [path = ''] = text.slice(text.indexOf('The critical path')).split('\n\n');
  return path
    .split('\n')
    .map(
      (line) =>
        `    ${clipTo(
          line.replace(/[0-9a-f]{64}/g, (id) => `${id.slice(0, 8)}…`),
          110,
        )}`,
    )
    .join('\n');
}

function writeText(): void {
  const [before, rest = ''] = readFileSync(page, 'utf8').split(begin);
  const after = rest.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${page} has no place for it`);
  const [load = 0] = loadavg();
  const version = tsrun('--version').split('\n')[0];
  const machine = `${version} on Linux ${release()}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${load.toFixed(1)} of them busy: the run in the middle of 21.`;
  writeFileSync(page, `${before}${begin}\n${pathText()}\n\nMeasured with ${machine}\n${end}${after}`);
}

async function takePicture(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-picture-'));
  const file = join(folder, 'trace.html');
  tsrun('trace', '--html', file, trace);
  const browser = new Browser();
  await browser.open(file, { width: 1180, height: 640 });
  await browser.until("document.querySelectorAll('.bar').length > 10");
  await browser.evaluate(
    "[...document.querySelectorAll('#steps tr')].find((r) => r.innerText.includes('mount ')).querySelector('button').click()",
  );
  await new Promise((done) => setTimeout(done, 1500)); // scrolling is smooth
  writeFileSync('docs/trace.png', await browser.screenshot());
  await browser.close();
  removeSync(folder);
}

writeText();
await takePicture();
