/**
 * For tests of kept plans (docs/decisions/0007): a copy of the program whose engine can be left without memory. What then works
 * was carried out without it, and what fails had to ask it. Needs root and dist/tsrun.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Changes, containerSuite, type TestContainer } from '../executor/test-container.js';
import { executorPath } from '../host/executor.js';

const folder = join(tmpdir(), `tsrun-kept-${process.pid}`);
export const program = join(folder, 'tsrun');
const limited = join(folder, 'limited');

/** KiB: enough for the executor and for what the tests run, and too little for the engine's stack. */
const withoutStack = 40_000;

/** A suite whose containers are made and called by the copy. */
export function keptSuite(title: string) {
  const { tests, test } = containerSuite(title);
  tests.before(() => {
    const from = executorPath();
    mkdirSync(folder, { mode: 0o755 });
    copyFileSync(from, program);
    writeFileSync(limited, `#!/bin/sh\nulimit -v ${withoutStack}\nexec ${program} "$@"\n`, { mode: 0o755 });
    process.env.TSRUN_SELF = program;
  });
  tests.after(() => {
    delete process.env.TSRUN_SELF;
    rmSync(folder, { recursive: true, force: true });
  });
  return { test, run: () => tests.run() };
}

/** It cannot start, and it is the same file that plans were kept for. */
export function withoutEngine<T>(call: () => T): T {
  process.env.TSRUN_SELF = limited;
  try {
    return call();
  } finally {
    process.env.TSRUN_SELF = program;
  }
}

export const noEngine = /no memory for the engine/;
export const directory = ({ folder, id }: TestContainer): string => join(folder, 'state', id);
export const plans = (container: TestContainer): string[] =>
  readdirSync(directory(container))
    .filter((name) => name.endsWith('.plan'))
    .sort();

export function start(container: TestContainer, script = 'sleep 60', changes: Changes = {}): void {
  assert.is(container.create(script, changes).status, 0);
  const { status, errors } = container.tsrun(['start', container.id]);
  assert.is(errors, '');
  assert.is(status, 0);
}

/** Until the container has ended. */
export function ended(container: TestContainer): void {
  for (let i = 0; i < 200; i++) {
    if (container.tsrun(['state', container.id]).output.includes('"stopped"')) return;
    spawnSync('sleep', ['0.02']);
  }
  throw new Error('the container does not end');
}
