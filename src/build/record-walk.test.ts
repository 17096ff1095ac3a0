// The commands of docs/config/linux.seccomp.md, "Recording a profile", in order, with what they print. Needs root, busybox and jq.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isRoot, unless } from '../test-fixtures.js';

const runtime = resolve('dist/tsrun');
const has = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
const walks = isRoot && has('busybox') && has('jq') && existsSync(runtime) && process.arch === 'x64';

const page = readFileSync('docs/config/linux.seccomp.md', 'utf8');
const section = /^## Recording a profile$([\s\S]*?)^(## |<!-- )/m.exec(page)![1]!;

interface Command {
  readonly line: string;
  output: string;
}

/** Indented lines: a command behind `$`, and what it prints. */
function commandsOf(text: string): Command[] {
  const commands: Command[] = [];
  for (const [, line = ''] of text.matchAll(/^ {4}(.*)$/gm)) {
    if (line.startsWith('$ ')) commands.push({ line: line.slice(2), output: '' });
    else commands.at(-1)!.output += `${line}\n`;
  }
  return commands;
}

test('there is something to type', () => {
  const lines = commandsOf(section).map(({ line }) => line);
  assert.is(lines.filter((line) => line.startsWith('tsrun run')).length, 4);
  assert.is(lines.filter((line) => line.includes('--record-seccomp')).length, 2);
});

unless(test, walks ? undefined : 'needs root, busybox, jq and an x64')(
  'what the page tells to type gives what it says',
  () => {
    const top = mkdtempSync(join(tmpdir(), 'tsrun-walk-'));
    mkdirSync(join(top, 'bin'));
    mkdirSync(join(top, 'here'));
    // A state root of its own, and an id that nobody else has.
    const id = `walk-${process.pid}`;
    const wrapper = `#!/bin/sh\nexec ${runtime} --root ${top}/state "$@"\n`;
    writeFileSync(join(top, 'bin/tsrun'), wrapper);
    chmodSync(join(top, 'bin/tsrun'), 0o755);
    try {
      for (const { line, output } of commandsOf(section)) {
        const mine = line.replace(/^(tsrun run .*) web$/, `$1 ${id}`);
        const options = {
          cwd: join(top, 'here'),
          encoding: 'utf8',
          timeout: 60_000,
          env: { PATH: `${top}/bin:/usr/sbin:/usr/bin:/sbin:/bin` },
        } as const;
        const { stdout, stderr } = spawnSync('sh', ['-c', mine], options);
        assert.is(stdout + stderr, output, line);
      }
    } finally {
      spawnSync(runtime, ['--root', join(top, 'state'), 'delete', '--force', id]);
      removeSync(top);
    }
  },
);

test.run();
