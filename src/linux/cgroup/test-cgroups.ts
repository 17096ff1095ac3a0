/** Real cgroups for the tests, below names of their own; made by the executor from the compiler's steps. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { Linux, Resources } from '../../bundle/types.js';
import type { Outcome } from '../../executor/outcome.js';
import { execute } from '../../executor/test-plans.js';
import { compileCgroup } from '../../plan/phases/cgroup.js';
import { placeCgroup } from '../../plan/phases/cgroup-placement.js';
import type { CgroupPlace, CgroupRecord } from '../../tables/cgroup.js';
import { needsRoot, suiteWith } from '../../test-fixtures.js';
import { gatherFacts, type HostFacts } from '../facts.js';

let counter = 0;

export class TestCgroup {
  readonly record: CgroupRecord;
  readonly name = `tsrun-test-${process.pid}-${++counter}`;
  #children: ChildProcess[] = [];

  readonly facts: HostFacts;
  /** Controllers that the v2 root gave to its children before. */
  readonly #enabled: string;

  /** With `unifiedOnly` as if the v2 hierarchy of a hybrid host were all there is. */
  constructor(unifiedOnly = false) {
    const facts = gatherFacts();
    const hierarchies = facts.hierarchies.filter(({ version }) => version === 2);
    this.facts = unifiedOnly ? { ...facts, cgroupMode: 'v2', hierarchies } : facts;
    this.record = placeCgroup(`/${this.name}/web`, 'web', this.facts, 'cgroupfs');
    this.#enabled = hierarchies[0] ? readFileSync(`${hierarchies[0].mountPoint}/cgroup.subtree_control`, 'utf8') : '';
  }

  /** Makes the cgroups with these limits, as create does. */
  create(resources: Resources = {}, linux: Linux = {}, record = this.record): Outcome {
    const spec = { linux: { cgroupsPath: `/${this.name}/web`, ...linux, resources } };
    return execute(compileCgroup(spec, record, this.facts).open);
  }

  /** The place of a controller; '' is the v2 one. */
  place(controller: string): CgroupPlace {
    const place = this.record.places.find(({ controllers, version }) =>
      controller === '' ? version === 2 : controllers.includes(controller),
    );
    if (!place) throw new Error(`no ${controller}`);
    return place;
  }

  directory(controller: string): string {
    const { mountPoint, path } = this.place(controller);
    return `${mountPoint}/${path}`;
  }

  read(controller: string, file: string): string {
    return readFileSync(`${this.directory(controller)}/${file}`, 'utf8').trim();
  }

  write(controller: string, file: string, value: string): void {
    writeFileSync(`${this.directory(controller)}/${file}`, value);
  }

  /** Runs a program in every cgroup; `below` is a sub-cgroup that exists in the hierarchies. */
  start(command: string, args: string[], below = ''): number {
    const child = spawn('/bin/sh', ['-c', 'kill -STOP $$; exec "$0" "$@"', command, ...args], { stdio: 'ignore' });
    this.#children.push(child);
    const pid = child.pid!;
    for (let i = 0; i < 500 && !/^\d+ \(.*\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8')); i++) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
    for (const { mountPoint, path } of this.record.places) {
      const directory = `${mountPoint}/${path}${below}`;
      if (existsSync(directory)) writeFileSync(`${directory}/cgroup.procs`, String(pid));
    }
    process.kill(pid, 'SIGCONT');
    return pid;
  }

  /** Resolves with the signal or the status the child ended with. */
  ended(pid: number): Promise<NodeJS.Signals | number | null> {
    const child = this.#children.find((candidate) => candidate.pid === pid)!;
    if (child.exitCode !== null || child.signalCode !== null)
      return Promise.resolve(child.signalCode ?? child.exitCode);
    return new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  }

  get leftovers(): string[] {
    return this.record.places
      .map(({ mountPoint, path }) => `${mountPoint}/${path}`)
      .filter((directory) => existsSync(directory));
  }

  async remove(): Promise<void> {
    const freezer = this.record.places.find(({ controllers }) => controllers.includes('freezer'));
    if (freezer && existsSync(`${freezer.mountPoint}/${freezer.path}`))
      this.write('freezer', 'freezer.state', 'THAWED');
    for (const child of this.#children) child.kill('SIGKILL');
    for (const pid of freezer ? listed(`${freezer.mountPoint}/${freezer.path}`) : []) process.kill(pid, 'SIGKILL');
    for (const child of this.#children) await this.ended(child.pid!);
    for (const { mountPoint } of this.record.places) removeTree(`${mountPoint}/${this.name}`);
    this.#children = [];
    this.#disable();
  }

  #disable(): void {
    const unified = this.record.places.find(({ version }) => version === 2);
    if (!unified) return;
    const file = `${unified.mountPoint}/cgroup.subtree_control`;
    const before = this.#enabled.trim().split(' ');
    for (const name of readFileSync(file, 'utf8').trim().split(' ')) {
      if (name !== '' && !before.includes(name)) writeFileSync(file, `-${name}`);
    }
  }
}

/** What the children started and left. */
function listed(directory: string): number[] {
  if (!existsSync(directory)) return [];
  return readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
}

function removeTree(directory: string): void {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(`${directory}/${entry.name}`);
  }
  for (let i = 0; i < 50; i++) {
    try {
      rmdirSync(directory);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

/** A suite whose tests get a cgroup each, and leave none; skipped, and counted so, where it cannot be had. */
export const cgroupSuite = (title: string, missing: string | undefined, unifiedOnly = false) =>
  suiteWith(title, {
    make: () => new TestCgroup(unifiedOnly),
    remove: (cgroup) => cgroup.remove(),
    check: (cgroup) => assert.equal(cgroup.leftovers, []),
    missing: needsRoot ?? missing,
  });
