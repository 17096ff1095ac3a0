// T-FUZZ (security.md section 6), what is TypeScript's of it: configurations, the executor's answers, files of the state
// directory, command lines of any bytes. Nothing may crash, hang, touch Object.prototype or be told without its place. Plans are
// damaged by src/executor/fuzz. The seed is printed; RIG_SEED=N repeats a run.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyDirSync, removeSync } from 'fs-extra/esm';
import '../../src/bundle/explain.js'; // loaded by the command line only after a refusal
import { loadDocument } from '../../src/bundle/load.js';
import { specKind } from '../../src/bundle/spec-document.js';
import { TsrunError } from '../../src/errors/error.js';
import { renderLine } from '../../src/errors/render.js';
import { decodeOutcome, describeWaitStatus, outcomeSize } from '../../src/executor/outcome.js';
import { decodeReply, parseStartNotes } from '../../src/executor/reply.js';
import { executorPath } from '../../src/host/executor.js';
import { compileCreate } from '../../src/plan/compile.js';
import { encodePlan } from '../../src/plan/encode.js';
import { standIn, testHost, testOptions } from '../../src/plan/test-inputs.js';
import { encodeProvisional, parseRecord, type RecordDraft } from '../../src/state/record.js';
import { makeBundle } from './bundle.js';
import { damage, draw, mutate, oneOf, sow } from './mutate.js';
import { finish, report } from './report.js';

const prototypes = (): string =>
  [Object.prototype, Array.prototype, String.prototype].map((one) => Object.getOwnPropertyNames(one).join()).join();

/** Whether it is an error of ours that a person can use. */
function problemOf(error: unknown, needsPlace: boolean): string {
  if (!(error instanceof TsrunError)) return `a crash: ${(error as Error).stack ?? error}`;
  const { code, message, pointer, detail } = error.failure;
  const line = renderLine('tsrun', error.failure);
  if (code === 'TSR_INTERNAL' || message === '') return `no error of ours: ${code} ${message}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  if (/[\u0000-\u001f\u007f]/.test(line)) return `characters of control: ${JSON.stringify(line)}`;
  if (line.length > 65_536) return `${line.length} characters`;
  // A place in the document, or in the text.
  return needsPlace && pointer === undefined && !/line|byte|offset|empty|UTF/.test(`${message} ${detail ?? ''}`)
    ? `no place: ${line}`
    : '';
}

class Findings {
  readonly #problems = new Map<string, string>();
  readonly #before = prototypes();

  try(input: string, needsPlace: boolean, body: () => void): void {
    try {
      body();
    } catch (error) {
      this.add(problemOf(error, needsPlace), input);
    }
    if (prototypes() !== this.#before) this.add('a prototype has changed', input);
  }

  add(problem: string, input: string): void {
    if (problem !== '' && this.#problems.size < 5) this.#problems.set(problem.slice(0, 500), input.slice(0, 300));
  }

  report(name: string): void {
    report(
      name,
      [...this.#problems].map(([problem, input]) => `${problem}\n  of ${input}`),
    );
  }
}

const utf8 = new TextEncoder();

function configs(rounds: number, seeds: readonly string[]): void {
  const findings = new Findings();
  let valid = 0;
  for (let i = 0; i < rounds; i++) {
    const seed = oneOf(seeds);
    const text = draw(4) === 0 ? damage(utf8.encode(seed)) : utf8.encode(JSON.stringify(mutate(seed)));
    findings.try(new TextDecoder().decode(text), true, () => {
      const { value } = loadDocument(text, specKind, 'config.json');
      valid++;
      const seccomp = value.linux?.seccomp ? { seccomp: standIn(value.linux.seccomp) } : {};
      encodePlan(compileCreate(value, testHost, { ...testOptions, ...seccomp }));
    });
  }
  findings.report(`${rounds} configurations, ${valid} of them valid`);
  report('some configurations are valid', valid > 0 && valid < rounds ? '' : `${valid} of ${rounds}`);
}

function answers(rounds: number): void {
  const findings = new Findings();
  const outcome = new Uint8Array(outcomeSize);
  new DataView(outcome.buffer).setUint32(0, 0x4f525354, true);
  for (let i = 0; i < rounds; i++) {
    const bytes = damage(draw(2) ? outcome : outcome.subarray(0, 1048));
    const input = Buffer.from(bytes.subarray(0, 40)).toString('hex');
    findings.try(input, false, () => {
      const { text, errno, value } = decodeOutcome(bytes);
      describeWaitStatus(value);
      if (text.length > 1024 || errno > 4095) findings.add('beyond its bounds', input);
    });
    findings.try(input, false, () => void decodeReply(bytes));
    findings.try(
      input,
      false,
      () => void parseStartNotes(new TextDecoder().decode(damage(utf8.encode('{"first":3,"notes":[["/a","b"]]}')))),
    );
  }
  findings.report(`${rounds} answers of the executor`);
}

function stateFiles(rounds: number): void {
  const findings = new Findings();
  const place = { version: 2, controllers: ['pids'], mountPoint: '/sys/fs/cgroup', path: 'web' };
  const draft = {
    ociVersion: '1.2.0',
    id: 'web',
    created: '2026-11-26T00:00:00Z',
    tsrun: '0.1.0',
    bootId: 'x',
    pidNamespace: 1,
    bundle: '/b',
    rootfs: '/b/rootfs',
    annotations: { a: 'b' },
    owner: 0,
    cgroup: { driver: 'cgroupfs', places: [place] },
    namespaces: [],
    hooks: {},
    terminal: false,
    confinement: { rlimits: [], noNewPrivileges: true, additionalGids: [], seccomp: false },
    stdio: [],
    rootless: false,
  } as unknown as RecordDraft;
  const seed = encodeProvisional(draft);
  for (let i = 0; i < rounds; i++) {
    const text = draw(3) === 0 ? new TextDecoder().decode(damage(utf8.encode(seed))) : JSON.stringify(mutate(seed));
    findings.try(text, false, () => {
      const { cgroup, pid } = parseRecord(text, 'web', 'state.json');
      // What is killed and removed by it must be the container's.
      if (!Number.isSafeInteger(pid) || pid < 0) findings.add(`pid ${pid}`, text);
      for (const { path } of cgroup.places)
        if (path === '' || path.split('/').includes('..')) findings.add(`cgroup ${path}`, text);
    });
  }
  findings.report(`${rounds} records of containers`);
}

const words = [
  'create',
  'start',
  'state',
  'kill',
  'delete',
  'exec',
  'run',
  'list',
  'spec',
  'features',
  'plan',
  'ps',
  'update',
  'pause',
  'events',
  'web',
  '--',
  '-',
  '--root',
  '--log',
  '--bundle',
  '-b',
  '--force',
  '--help',
  '--all',
  '--user',
  '--cap',
  '--process',
  '--preserve-fds',
  '-e',
  '--format',
  '__proto__',
  'constructor',
  '..',
  '',
];

/** Words of the command line, some of them no text at all; none of them means a file outside of the working directory. */
function word(): Buffer {
  const chosen = oneOf(words);
  if (draw(3)) return Buffer.from(chosen);
  const bytes = Buffer.from(
    damage(utf8.encode(chosen === '' ? '=' : chosen)).filter((byte) => byte !== 0 && byte !== 0x2f),
  );
  return bytes;
}

function commandLines(rounds: number): void {
  const findings = new Findings();
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-rig-'));
  const root = join(directory, 'state');
  const here = join(directory, 'here');
  mkdirSync(here);
  for (let i = 0; i < rounds; i++) {
    const list = Array.from({ length: 1 + draw(6) }, word);
    // No shell and no string: xargs hands the bytes on as they are.
    const file = join(directory, 'words');
    writeFileSync(file, Buffer.concat(list.flatMap((one) => [one, Buffer.from([0])])));
    const { status, signal, stderr, stdout } = spawnSync(
      'xargs',
      ['-0', '-a', file, '-x', executorPath(), '--root', root],
      {
        cwd: here,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 10_000,
      },
    );
    const input = Buffer.concat(list.flatMap((one) => [one, Buffer.from(' ')])).toString('latin1');
    // xargs: 123 for any status of 1 to 125, 124 for 255, 125 for a signal
    if (signal !== null || status === 125) findings.add(`ended by ${signal ?? 'a signal'}`, input);
    if (/TSR_INTERNAL|\bat .*\.(js|ts):\d|node:internal|panic/.test(`${stderr}${stdout}`))
      findings.add(`a trace: ${stderr}`, input);
    if (status !== 0 && !/tsrun/.test(stderr)) findings.add(`status ${status} without a word`, input);
    const made = readdirSync(here).filter((name) => name !== 'config.json');
    // A log file is what was asked for.
    if (made.length > 0 && !input.includes('--log')) findings.add(`made ${made.join()}`, input);
    // Node cannot name what is no UTF-8: it would stand there in the next round, too.
    if (made.length > 0) spawnSync('rm', ['-rf', here]);
    emptyDirSync(here);
  }
  findings.report(`${rounds} command lines`);
  report(
    'no command line made a container',
    readdirSync(directory).includes('state') && readdirSync(root).some((name) => !name.startsWith('.'))
      ? readdirSync(root)
      : '',
  );
  removeSync(directory);
}

/** @param long a hundred times as much. */
export function fuzzRig(long: boolean): void {
  const began = Date.now();
  const seed = Number(process.env.RIG_SEED ?? (Date.now() % 0x7fffffff) + 1);
  sow(seed);
  const bundle = makeBundle('true');
  const samples = readdirSync('bundles').map((name) => join('bundles', name, 'config.json'));
  const seeds = [join(bundle.directory, 'config.json'), ...samples].flatMap((path) => {
    try {
      return [readFileSync(path, 'utf8')];
    } catch {
      return [];
    }
  });
  const times = long ? 100 : 1;
  configs(5000 * times, seeds);
  answers(5000 * times);
  stateFiles(5000 * times);
  commandLines(150 * times);
  removeSync(bundle.directory);
  console.log(`       seed ${seed}`);
  finish('T-FUZZ', began, 15_150 * times);
}
