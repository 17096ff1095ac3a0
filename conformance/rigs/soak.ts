// T-SOAK (security.md section 6): the same life again and again, through the command and through the library. In the end
// there is nothing that was not there before, and the last lives take no longer than the first.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { removeSync } from 'fs-extra/esm';
import { executorPath } from '../../src/host/executor.js';
import { carryOutHere } from '../../src/operations/roll-back.js';
import { type Bundle, makeBundle, prepare } from './bundle.js';
import { descriptors, leftSince, look, sleep } from './host.js';
import { finish, report } from './report.js';

const tsrun = (bundle: Bundle, ...args: string[]) =>
  spawnSync(executorPath(), ['--root', bundle.root, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 20_000,
  });

/** Session keyrings of these containers, among all of this machine; the kernel collects them a little later. */
const keyrings = (): number => (readFileSync('/proc/keys', 'utf8').match(/_ses\.web-\d/g) ?? []).length;

/** One container's life; '' or the command that failed. */
function live(bundle: Bundle, id: string): string {
  const commands: readonly (readonly string[])[] = [
    ['start', id],
    ['exec', id, '/bin/true'],
    ['pause', id],
    ['resume', id],
    ['update', '--pids-limit', '50', id],
    ['kill', id, 'KILL'],
  ];
  // The container keeps its streams, so nobody may wait for their end.
  const create = ['--root', bundle.root, 'create', '--bundle', bundle.directory, id];
  if (spawnSync(executorPath(), create, { stdio: 'ignore', timeout: 20_000 }).status !== 0) return `create ${id}`;
  for (const args of commands) if (tsrun(bundle, ...args).status !== 0) return args.join(' ');
  for (const end = Date.now() + 5000; !tsrun(bundle, 'state', id).stdout.includes('stopped'); sleep(5))
    if (Date.now() > end) return `${id} does not stop`;
  return tsrun(bundle, 'delete', id).status === 0 ? '' : `delete ${id}`;
}

const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? 0;

/** @param long thousands of lives, otherwise some. */
export function soakRig(long: boolean): void {
  const began = Date.now();
  const bundle = makeBundle('sleep 60');
  const rounds = long ? 3000 : 10;
  live(bundle, 'first'); // what is made once for all, such as the seccomp cache
  const before = look(bundle.root);
  const keys = keyrings();
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    const problem = live(bundle, `web-${i}`);
    times.push(performance.now() - start);
    if (problem !== '') report(`life ${i}`, problem);
  }
  report(`${rounds} lives leave nothing`, leftSince(before, bundle.root));
  for (let i = 0; i < 100 && keyrings() > keys; i++) sleep(50);
  report(`${rounds} lives leave no keyrings`, keyrings() > keys ? `${keyrings()} instead of ${keys}` : '');
  const [first, last] = [median(times.slice(0, rounds >> 2)), median(times.slice(-(rounds >> 2)))];
  report('the last lives are as quick as the first', last > 3 * first + 50 ? `${first} ms, then ${last} ms` : '');

  const quick = makeBundle('true');
  const open = descriptors();
  const there = look(quick.root);
  for (let i = 0; i < rounds; i++)
    carryOutHere(quick.root, 'web', prepare(quick, 'web', 'run').bytes, { warn: () => undefined });
  report(`${rounds} runs of the library leave nothing`, leftSince(there, quick.root));
  report(
    `${rounds} runs of the library leave no descriptor`,
    String(descriptors()) === String(open) ? '' : descriptors(),
  );
  for (const { directory } of [bundle, quick]) removeSync(directory);
  finish('T-SOAK', began, rounds);
}
