/** For tests: cgroups that remember what was asked of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sendSignal } from '../host/process.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import type { CgroupControl } from './tools.js';
import { lastingFolder } from '../test-fixtures.js';

export const someCgroup: CgroupRecord = {
  driver: 'cgroupfs',
  places: [{ version: 2, controllers: [], mountPoint: '/nowhere', path: 'tsrun-test/web' }],
};

/** `pids` are in the cgroup; what signals them really does. */
export class FakeCgroups implements CgroupControl {
  readonly calls: string[] = [];
  frozen = false;
  freezes = true;
  pids: number[] = [];

  isFrozen(): boolean {
    return this.frozen;
  }
  thaw(): void {
    this.calls.push('thaw');
    this.frozen = false;
  }
  tryFreeze(): boolean {
    this.calls.push('freeze');
    return this.freezes;
  }
  processes(): number[] {
    return this.pids;
  }
  isPopulated(): boolean {
    return this.pids.length > 0;
  }
  /** As the kernel's: a file with a number in each line. */
  lists(): string[] | undefined {
    const list = join(lastingFolder('cgroup'), 'cgroup.procs');
    writeFileSync(list, this.pids.map((pid) => `${pid}\n`).join(''));
    return [list];
  }
  signalAll(_cgroup: CgroupRecord, signal: number): void {
    this.calls.push(`signal ${signal}`);
    for (const pid of this.pids) sendSignal(pid, signal);
  }
  killAll(): void {
    this.calls.push('kill');
    for (const pid of this.pids.splice(0)) sendSignal(pid, 9);
  }
  remove(cgroup: CgroupRecord): void {
    this.calls.push(`remove ${cgroup.places.map(({ path }) => path).join()}`);
  }
}
