/** Every step of every plan is for a role that ops.json allows it: the executor refuses the others, and with them the plan. */
import { readJsonSync } from 'fs-extra/esm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Process } from '../bundle/types.js';
import { joinersCalls } from '../linux/seccomp/allowed-calls.js';
import { compileExec, type ExecOptions, type ExecSpec } from './compile-exec.js';
import { placeCgroup } from './phases/cgroup-placement.js';
import { hostFacts } from './phases/cgroup-test-facts.js';
import type { Plan } from './step.js';
import { bundles, planOf } from './test-bundles.js';
import { testHost } from './test-inputs.js';

const { ops } = readJsonSync('src/executor/ops.json') as {
  readonly ops: { readonly [name: string]: { readonly roles: readonly string[] } };
};

function check({ steps }: Plan, what: string): void {
  const wrong = steps.filter(({ op, role }) => !ops[op]?.roles.includes(role));
  assert.equal(
    wrong.map(({ op, role }) => `${op} as ${role}`),
    [],
    what,
  );
}

for (const name of bundles) test(`the plan of bundle '${name}'`, () => check(planOf(name), name));

// compile-exec.ts gives steps of `create` to the joiner or the host, which no type looks at.
const whole: Process = {
  args: ['/bin/true'],
  cwd: '/',
  user: { uid: 5, gid: 5, umask: 7, additionalGids: [6] },
  terminal: true,
  apparmorProfile: 'a',
  selinuxLabel: 'l',
  oomScoreAdj: 5,
  execCPUAffinity: { initial: '0', final: '1' },
  capabilities: { bounding: ['CAP_KILL'], ambient: ['CAP_KILL'] },
  rlimits: [
    { type: 'RLIMIT_NOFILE', soft: 9, hard: 9 },
    { type: 'RLIMIT_NPROC', soft: 9, hard: 9 },
  ],
  scheduler: { policy: 'SCHED_BATCH' },
  ioPriority: { class: 'IOPRIO_CLASS_IDLE', priority: 0 },
};
const linux: ExecSpec['linux'] = {
  personality: { domain: 'LINUX32' },
  memoryPolicy: { mode: 'MPOL_BIND', nodes: '0' },
  seccomp: { defaultAction: 'SCMP_ACT_ALLOW' },
};
const known = { filter: new Uint8Array(8), flags: 0, rules: 1, allowed: joinersCalls };
const filters = [
  known,
  { ...known, allowed: [] },
  { ...known, agent: { path: '/s', before: '', between: '', after: '' } },
];
const cgroups = (['v1', 'v2', 'hybrid'] as const).map((mode) =>
  placeCgroup('/web', 'web', hostFacts(mode, { controllers: ['memory', 'pids'] }), 'cgroupfs'),
);
const joined: ExecOptions['joins'][] = [['user', 'mount', 'pid', 'cgroup'], ['pid'], []];

test('execs with all that a process may have', () => {
  for (const cgroup of cgroups)
    for (const joins of joined)
      for (const seccomp of filters)
        for (const noNewPrivileges of [true, false])
          for (const uid of [0, 1000]) {
            const options: ExecOptions = {
              id: 'web',
              mode: uid === 0 ? 'run' : 'run-detached',
              target: { pid: 4321, startTime: 99 },
              joins,
              root: '/',
              cgroup,
              cgroupOptional: uid !== 0,
              seccomp,
              pidFile: '/p',
              pidfdSocket: '/d',
              ...(uid === 0 ? {} : { consoleSocket: '/c' }),
              resctrlGroups: ['/sys/fs/resctrl/web'],
            };
            const plan = compileExec({ linux }, { ...whole, noNewPrivileges }, { ...testHost, uid }, options);
            check(plan, JSON.stringify({ joins, noNewPrivileges, uid }));
          }
});

test.run();
