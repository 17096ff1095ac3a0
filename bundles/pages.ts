/**
 * What stands in docs/learn.md and in the bundles' READMEs, to be held against what is. A `console` block is a session of root's: after
 * `# ` what is typed, below it what one sees. `…` stands for what is another on each host or each time: within a line for any text, alone in
 * a line for any lines. Numbers of steps and widths of columns are not compared. `console v1` and `console v2` are for hosts with that cgroup.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { copySync } from 'fs-extra/esm';
import { runtime, type Sandbox } from './harness.js';

export interface Block {
  /** The heading that it stands under. */
  readonly section: string;
  /** Of the file, from 1 on. */
  readonly line: number;
  readonly language: string;
  readonly words: readonly string[];
  readonly text: string;
}

export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let section = '';
  let open: { line: number; info: string[]; text: string[] } | undefined;
  page.split('\n').forEach((line, index) => {
    if (open === undefined) {
      if (line.startsWith('#')) section = line.replace(/^#+ /, '');
      if (line.startsWith('```')) open = { line: index + 1, info: line.slice(3).split(' '), text: [] };
    } else if (line === '```') {
      const [language = '', ...words] = open.info;
      blocks.push({ section, line: open.line, language, words, text: open.text.join('\n') });
      open = undefined;
    } else open.text.push(line);
  });
  return blocks;
}

/** Is it for this host? */
const cgroup = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'v2' : 'v1';
const isForHere = ({ words }: Block): boolean => words.length === 0 || words.includes(cgroup);

interface Typed {
  readonly command: string;
  readonly output: readonly string[];
}

function session(text: string): Typed[] {
  const typed: { command: string; output: string[] }[] = [];
  for (const line of text.split('\n'))
    if (line.startsWith('# ')) typed.push({ command: line.slice(2), output: [] });
    else typed.at(-1)?.output.push(line);
  return typed;
}

/** One blank for many, and no number before a step. */
const steady = (line: string): string =>
  line
    .replace(/^ *\d+ {2}(?=(?:host|init|joiner) )/, '')
    .replace(/\s+/g, ' ')
    .trim();

function fits(shown: readonly string[], seen: readonly string[]): boolean {
  const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = shown.map((line) =>
    line === '…' ? '(?:.*\\n)*' : `${steady(line).split('…').map(literally).join('.*')}\\n`,
  );
  return new RegExp(`^${pattern.join('')}$`).test(seen.map((line) => `${steady(line)}\n`).join(''));
}

/** What a `console v2` block shows of a plan, held against the plan that was written down for such a host; undefined where all of it is there. */
export function differsFromGolden({ words, text }: Block, golden: string): string | undefined {
  if (!words.includes('v2')) return undefined;
  const known = golden.split('\n').map(steady);
  const [, ...shown] = text.split('\n');
  return shown.find((line) => !known.some((one) => fits([line], [one])));
}

/** Ids of containers in the pages; each sandbox has others. */
const ids = ['demo', 'left', 'right'];

/** The bundles as they lie in the repository, and the runtime in PATH, as after a fresh build. */
export class Reader {
  readonly #sandbox: Sandbox;
  readonly #ids: ReadonlyMap<string, string>;
  #count = 0;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
    this.#ids = new Map(ids.map((name) => [name, sandbox.id(name)]));
    const { folder } = sandbox;
    const isMade = (path: string): boolean => /^bundles\/[^/]+\/(rootfs|lower|layers)(\/|$)/.test(path);
    copySync('bundles', join(folder, 'bundles'), { filter: (path) => !isMade(path) });
    mkdirSync(join(folder, 'dist'));
    const stub = `#!/bin/sh\nexec ${resolve(runtime)} --root ${folder}/state "$@"\n`;
    writeFileSync(join(folder, 'dist/tsrun'), stub);
    chmodSync(join(folder, 'dist/tsrun'), 0o755);
    for (const name of ['src', 'node_modules']) symlinkSync(resolve(name), join(folder, name));
    execFileSync(process.execPath, ['bundles/prepare.mjs'], { cwd: folder, env: process.env });
  }

  /** Types what the block has after `# `; the complaint of the first command that shows something else. */
  differs(block: Block): string | undefined {
    if (!isForHere(block)) return undefined;
    const typed = session(block.text);
    const outputs = this.#type(typed.map(({ command }) => command));
    for (const [index, { command, output }] of typed.entries()) {
      const seen = outputs[index] ?? [];
      if (!fits(output, seen))
        return `line ${block.line}: # ${command}\nprints\n${seen.join('\n')}\nand not\n${output.join('\n')}`;
    }
    return undefined;
  }

  /** One shell for all, as a person has; mounts end with it. What containers write goes where the shell's own output goes. */
  #type(commands: readonly string[]): string[][] {
    const mark = '----- end of a command -----';
    const named = (command: string): string =>
      command.replace(/(?<= )(?:demo|left|right)(?= |;|$)/g, (name) => this.#ids.get(name) ?? name);
    const script = commands.map((command) => `${named(command)}\necho '${mark}'\n`).join('');
    const path = join(this.#sandbox.folder, `session-${this.#count++}`);
    const output = openSync(path, 'a');
    spawnSync('unshare', ['--mount', 'bash', '-c', script], {
      cwd: this.#sandbox.folder,
      stdio: ['ignore', output, output],
      timeout: 120_000,
      killSignal: 'SIGKILL',
      env: { PATH: `${this.#sandbox.folder}/dist:${process.env.PATH}`, LC_ALL: 'C', TMPDIR: '/tmp' },
    });
    closeSync(output);
    let text = readFileSync(path, 'utf8');
    for (const [name, id] of this.#ids) text = text.replaceAll(id, name);
    const parts = text.split(`${mark}\n`).slice(0, -1);
    return parts.map((part) =>
      part
        .replace(/\n$/, '')
        .split('\n')
        .filter((line, _, all) => all.length > 1 || line !== ''),
    );
  }
}

/** Is this text in the file, but for blanks and for what `…` stands for? */
export function isIn(text: string, whole: string): boolean {
  const dense = (json: string): string => json.replace(/\s+/g, '');
  let at = 0;
  for (const part of dense(text).split('…')) {
    at = dense(whole).indexOf(part, at);
    if (at < 0) return false;
    at += part.length;
  }
  return true;
}
