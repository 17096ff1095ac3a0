/** For the tests of --record-seccomp. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Seccomp } from '../bundle/types.js';
import { executorPath } from '../host/executor.js';
import type { Changes, TestContainer } from './test-container.js';

export const fileOf = ({ folder }: TestContainer): string => join(folder, 'profile.json');
/** The only folder that annotations may name files in; made by whoever owns the host. */
export const allowedTo = ({ folder }: TestContainer): string => join(folder, 'state-recorded');
export const asAnnotated = (container: TestContainer): string => {
  mkdirSync(allowedTo(container), { recursive: true, mode: 0o700 });
  return join(allowedTo(container), 'profile.json');
};
export const profileOf = (container: TestContainer): Seccomp => JSON.parse(readFileSync(fileOf(container), 'utf8'));
export const namesOf = ({ syscalls = [] }: Seccomp): string[] => syscalls.flatMap(({ names }) => names);
export const recordedBy = (container: TestContainer): string[] => namesOf(profileOf(container));

export const good = { status: 0, output: '', errors: '' };

/** As an engine calls it: create, with its streams elsewhere. */
export function createRecorded(container: TestContainer, script: string, changes: Changes = {}) {
  container.prepare(script, changes);
  const args = ['create', '--record-seccomp', fileOf(container), '--bundle', container.folder, container.id];
  return container.tsrun(args, [
    'sh',
    '-c',
    'log=$1; shift; exec "$@" >"$log" 2>&1 </dev/null',
    'sh',
    logOf(container),
  ]);
}
export const logOf = ({ folder }: TestContainer): string => join(folder, 'log');

export function until(what: string, condition: () => boolean): void {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `${what} takes too long`);
    spawnSync('sleep', ['0.02']);
  }
}
export const statusOf = (container: TestContainer): string =>
  JSON.parse(container.tsrun(['state', container.id]).output).status;

/** Who holds a descriptor of the recorder's: itself and its guard, which is the parent. */
export function recorders({ folder, id }: TestContainer): { guard: number; recorder: number } {
  const fifo = join(folder, 'state', id, 'recorder.fifo');
  const holds = (pid: string): boolean => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === fifo);
    } catch {
      return false;
    }
  };
  const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && holds(name));
  const parentOf = (pid: string): string => /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
  const recorder = found.find((pid) => found.includes(parentOf(pid)))!;
  assert.is(found.length, 2);
  return { recorder: Number(recorder), guard: Number(parentOf(recorder)) };
}

/** It makes calls, and goes on when they fail. */
export const busy = 'while :; do test -e /nothing; done';

/** A foreground run that goes on until somebody does something. */
export function runInBackground(
  container: TestContainer,
  script: string,
): Promise<{ status: number | null; errors: string }> {
  container.prepare(script);
  return inBackground(container, [
    'run',
    '--record-seccomp',
    fileOf(container),
    '--bundle',
    container.folder,
    container.id,
  ]);
}

/** Any command; null for one that has not ended in twenty seconds. */
export function inBackground(
  container: TestContainer,
  command: readonly string[],
): Promise<{ status: number | null; errors: string }> {
  const args = ['--root', join(container.folder, 'state'), ...command];
  const child = spawn(executorPath(), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  return new Promise((resolve) => {
    // The container has its standard error as well, so the end of that is not waited for.
    const tooLong = setTimeout(() => {
      child.kill('SIGKILL');
      resolve({ status: null, errors });
    }, 20_000);
    child.on('close', (status) => {
      clearTimeout(tooLong);
      resolve({ status, errors });
    });
  });
}
