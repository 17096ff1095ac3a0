import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import '../bundle/explain.js';
import { parseProcess } from '../bundle/process-document.js';
import type { Spec } from '../bundle/types.js';
import { TsrunError } from '../errors/error.js';
import type { Confinement } from '../state/record.js';
import { completeProcess, type ExecFlags, processFromFlags } from './exec-process.js';
import { withFolder } from '../test-fixtures.js';

const noFlags: ExecFlags = { args: ['sh'], env: [], tty: false, additionalGids: [], caps: [] };
const spec = {
  process: {
    args: ['init'],
    cwd: '/srv',
    terminal: true,
    env: ['PATH=/bin', 'A=1'],
    user: { uid: 5, gid: 6, umask: 0o77, additionalGids: [7] },
    capabilities: {
      bounding: ['CAP_KILL'],
      effective: ['CAP_KILL'],
      permitted: ['CAP_KILL'],
      inheritable: ['CAP_CHOWN'],
    },
    rlimits: [{ type: 'RLIMIT_CORE', soft: 1n, hard: 18446744073709551615n }],
    noNewPrivileges: true,
  },
} as unknown as Spec;

const fromFlags = (flags: Partial<ExecFlags> = {}) => processFromFlags(spec, { ...noFlags, ...flags }).process;

function fromFile(process: object, confinement: Partial<Confinement> = {}) {
  const whole = { rlimits: [], noNewPrivileges: true, additionalGids: [3], seccomp: false, ...confinement };
  return withFolder('process', (folder) => {
    const file = join(folder, 'process.json');
    writeFileSync(file, JSON.stringify(process));
    return completeProcess(parseProcess(file), whole).process;
  });
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof TsrunError) return `${error.failure.code} ${error.failure.pointer ?? ''}`.trim();
  }
  return '';
}

test('without flags the process is the container’s, but for command and terminal', () => {
  const { args, terminal, cwd, user, rlimits, noNewPrivileges } = fromFlags();
  assert.equal([args, terminal, cwd, noNewPrivileges], [['sh'], false, '/srv', true]);
  assert.equal({ ...user }, { uid: 5, gid: 6, umask: 0o77, additionalGids: [7] });
  assert.is(rlimits?.[0]?.hard, 18446744073709551615n);
});

test('a user without a group keeps the container’s group; groups are added', () => {
  const { user } = fromFlags({ user: '9', additionalGids: ['10'] });
  assert.equal([user?.uid, user?.gid, user?.additionalGids, user?.umask], [9, 6, [7, 10], 0o77]);
  assert.is(fromFlags({ user: '9:8' }).user?.gid, 8);
  for (const bad of ['', 'app', '1:', '-1', '99999999999']) {
    assert.is(
      codeOf(() => fromFlags({ user: bad })),
      'TSR_EXEC_ID',
      bad,
    );
    assert.is(
      codeOf(() => fromFlags({ additionalGids: [bad] })),
      'TSR_EXEC_ID',
      bad,
    );
  }
});

test('S25: a capability goes into three sets, and into a fourth only if it is inheritable', () => {
  const { capabilities } = fromFlags({ caps: ['CAP_SYS_TIME', 'CAP_CHOWN'] });
  assert.equal(capabilities?.bounding, ['CAP_KILL', 'CAP_SYS_TIME', 'CAP_CHOWN']);
  assert.equal(capabilities?.effective, capabilities?.bounding);
  assert.equal(capabilities?.permitted, capabilities?.bounding);
  assert.equal(capabilities?.inheritable, ['CAP_CHOWN']);
  assert.equal(capabilities?.ambient, ['CAP_CHOWN']);
});

test('what flags make is checked like a file', () => {
  assert.is(
    codeOf(() => fromFlags({ args: [] })),
    'TSR_EXEC_ARGS',
  );
  assert.is(
    codeOf(() => fromFlags({ env: ['NOVALUE'] })),
    'TSR_ENV_FORM /env/2',
  );
  assert.match(
    codeOf(() => fromFlags({ cwd: 'relative' })),
    /\/cwd$/,
  );
});

test('S56: a file’s gaps are filled from the container, but for no_new_privs and groups', () => {
  const saved: Partial<Confinement> = {
    capabilities: { bounding: ['CAP_KILL'] },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: '10', hard: '18446744073709551615' }],
    apparmorProfile: 'docker-default',
    selinuxLabel: 'a:b:c',
    umask: 0o27,
    scheduler: { policy: 'SCHED_BATCH' },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
    oomScoreAdj: 7,
  };
  const filled = fromFile({ args: ['x'], cwd: '/' }, saved);
  assert.equal(filled.rlimits, [{ type: 'RLIMIT_NOFILE', soft: 10n, hard: 18446744073709551615n }]);
  assert.equal(filled.user, { uid: 0, gid: 0, umask: 0o27 });
  assert.equal([filled.apparmorProfile, filled.selinuxLabel, filled.oomScoreAdj], ['docker-default', 'a:b:c', 7]);
  assert.equal(
    [filled.capabilities, filled.scheduler?.policy, filled.ioPriority?.priority],
    [saved.capabilities, 'SCHED_BATCH', 4],
  );
  assert.is(filled.noNewPrivileges, undefined);
  const own = {
    args: ['x'],
    cwd: '/',
    user: { uid: 1, gid: 2, umask: 0 },
    rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 0 }],
    capabilities: {},
    apparmorProfile: '',
  };
  const kept = fromFile(own, saved);
  assert.equal(
    [
      kept.user?.umask,
      kept.rlimits?.length,
      kept.rlimits?.[0]?.type,
      kept.capabilities?.bounding,
      kept.apparmorProfile,
    ],
    [0, 1, 'RLIMIT_CORE', undefined, ''],
  );
});

test('a fault in a process file is named by its own keys', () => {
  assert.match(
    codeOf(() => fromFile({ args: ['x'], cwd: 'no' })),
    /\/cwd$/,
  );
});

test.run();
