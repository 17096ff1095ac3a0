/** For tests: an exec, and what is kept of it. */
import type { Process } from '../bundle/types.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import { compileExec, type ExecOptions } from './compile-exec.js';
import { type ExecFacts, keepExec, type Words } from './keep-exec.js';
import type { KeptCall } from './kept.js';
import { testHost, testKeeping } from './test-inputs.js';

export const testCgroup: CgroupRecord = {
  driver: 'cgroupfs',
  places: [{ version: 2, controllers: ['cpu'], mountPoint: '/sys/fs/cgroup', path: 'web' }],
};

const options: ExecOptions = {
  id: 'web',
  mode: 'run-detached',
  target: { pid: 77, startTime: 5 },
  joins: ['mount', 'pid'],
  root: '/',
  cgroup: testCgroup,
  cgroupOptional: false,
  pidFile: '/run/web.pid',
};
const facts: ExecFacts = {
  stateFile: { path: '/run/tsrun/web/state.json', content: new Uint8Array(3) },
  processFile: { path: '/tmp/process', content: new Uint8Array(2) },
  shared: ['user', 'time'],
  cgroupFiles: [{ path: '/sys/fs/cgroup/web/cgroup.subtree_control', content: '\n' }],
  userNamespace: 'user:[1]',
  freezes: testCgroup,
};

export function keptExec(words: Partial<Words> = {}): KeptCall {
  const process: Process = { args: ['/bin/true'], cwd: '/', user: { uid: 0, gid: 0 } };
  const plan = compileExec({ annotations: {}, linux: {} }, process, testHost, options);
  const all = {
    options: ['exec', '--process', '/tmp/process', '--pid-file', '/run/web.pid'],
    operands: ['web'],
    ...words,
  };
  return keepExec(plan, options, testKeeping.here!, facts, all);
}
