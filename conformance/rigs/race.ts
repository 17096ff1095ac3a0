// T-RACE: commands on one id at the same time (security.md R01 to R04, R40). One of each kind wins, nobody hangs, and
// nothing is left.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { executorPath } from '../../src/host/executor.js';
import { type Bundle, makeBundle } from './bundle.js';
import { leftSince, look } from './host.js';
import { finish, report } from './report.js';

const hangMs = 20_000;

/** The exit status, or what happened instead. */
const tsrun = (bundle: Bundle, ...args: string[]): Promise<number | string> =>
  new Promise((resolve) => {
    const child = spawn(executorPath(), ['--root', bundle.root, ...args], { stdio: 'ignore' });
    const timer = setTimeout(() => child.kill('SIGKILL'), hangMs);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      // Before it has begun a create may be stopped without any ado.
      resolve(code ?? (signal === 'SIGTERM' ? 143 : `${args.join(' ')} is ended by ${signal}`));
    });
  });

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const create = (bundle: Bundle): Promise<number | string> =>
  tsrun(bundle, 'create', '--bundle', bundle.directory, 'web');

/** Only 0 and 1 are answers, and 143 of a create that another command has stopped (R39). */
const strange = (results: readonly (number | string)[]): string[] =>
  results.filter((result) => result !== 0 && result !== 1 && result !== 143).map(String);
const winners = (results: readonly (number | string)[]): number => results.filter((result) => result === 0).length;

/** Many creates, many starts, then kills and deletes all at once. */
async function sameCommands(bundle: Bundle): Promise<string[]> {
  const problems: string[] = [];
  const ran = join(bundle.directory, 'volume/ran');
  rmSync(ran, { force: true });
  const creates = await Promise.all(times(6, () => create(bundle)));
  if (winners(creates) !== 1) problems.push(`${winners(creates)} creates succeed (R01)`);
  const starts = await Promise.all(times(6, () => tsrun(bundle, 'start', 'web')));
  if (winners(starts) !== 1) problems.push(`${winners(starts)} starts succeed (R02)`);
  for (let i = 0; i < 200 && !existsSync(ran); i++) await new Promise((done) => setTimeout(done, 10));
  const ends = await Promise.all(
    times(8, (index) =>
      index % 2 === 0 ? tsrun(bundle, 'kill', 'web', 'KILL') : tsrun(bundle, 'delete', '--force', 'web'),
    ),
  );
  if (ends.filter((_, index) => index % 2 === 1).some((result) => result !== 0))
    problems.push('a delete --force fails (R03)');
  const lines = existsSync(ran) ? readFileSync(ran, 'utf8') : '';
  if (lines !== 'ran\n') problems.push(`the payload ran ${lines.split('\n').length - 1} times (R02)`);
  return [...problems, ...strange([...creates, ...starts, ...ends])];
}

/** Whoever comes first: a create that is deleted under way, one that is started and deleted at once. */
async function acrossCommands(bundle: Bundle, delayMs: number): Promise<string[]> {
  const later = (work: () => Promise<number | string>, index: number): Promise<number | string> =>
    new Promise((resolve) => setTimeout(() => resolve(work()), delayMs * index));
  const results = await Promise.all([
    create(bundle),
    later(() => tsrun(bundle, 'delete', '--force', 'web'), 1),
    later(() => tsrun(bundle, 'start', 'web'), 1),
    later(() => tsrun(bundle, 'kill', 'web', 'KILL'), 2),
    later(() => tsrun(bundle, 'state', 'web'), 2),
    later(() => tsrun(bundle, 'delete', 'web'), 3),
  ]);
  const last = await tsrun(bundle, 'delete', '--force', 'web');
  return [...strange(results), ...(last === 0 ? [] : [`the last delete --force: ${last}`])];
}

/** @param long hundreds of rounds, otherwise a few. */
export async function raceRig(long: boolean): Promise<void> {
  const began = Date.now();
  const bundle = makeBundle('echo ran >>/volume/ran; sleep 60');
  const rounds = long ? 300 : 4;
  for (let i = 0; i < rounds; i++) {
    const before = look(bundle.root);
    const same = await sameCommands(bundle);
    report(`round ${i}, many of each command`, [...same, ...leftSince(before, bundle.root, 5000)]);
    const across = await acrossCommands(bundle, (i * 7) % 40);
    report(`round ${i}, all commands, ${(i * 7) % 40} ms apart (R40)`, [
      ...across,
      ...leftSince(before, bundle.root, 5000),
    ]);
  }
  removeSync(bundle.directory);
  finish('T-RACE', began, rounds);
}
