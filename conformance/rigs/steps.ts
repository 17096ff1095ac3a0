// T-STEP (security.md section 6): every step of a plan in turn fails, or is the moment at which the executor, the
// container's first process or both are killed. Nothing may be left after that: of a failure at once (R10 of the CLI
// contract), of a kill after `delete --force` (R06, R07, R08).
import { removeSync } from 'fs-extra/esm';
import { TsrunError } from '../../src/errors/error.js';
import { carryOutHere } from '../../src/operations/roll-back.js';
import { encodePlan } from '../../src/plan/encode.js';
import { type Step, step } from '../../src/plan/step.js';
import { type Bundle, makeBundle, makeRecorded, prepare, tsrun } from './bundle.js';
import { leftSince, look } from './host.js';
import { finish, report } from './report.js';

type Mode = 'create' | 'run';

/** Nobody has this pid, and no such folder is anywhere. */
const failing = (role: Step['role']): Step =>
  role === 'host'
    ? step(role, 'process.signal', { pid: 2 ** 22 - 1, startTime: 1n, signal: 0 }, '/rig', 'fail here')
    : step(role, 'root.open', { path: '/tsrun-rig-nowhere' }, '/rig', 'fail here');

/** A hook of the host: it gets the container's pid on its standard input, and its parent is the executor. */
const killing = (script: string): Step => {
  const state = { stateBefore: '', stateAfter: '\n' };
  const args = ['sh', '-c', `read -r pid; ${script}`];
  const run = { timeoutMs: 5000, pidKind: 1, flags: 0, path: '/bin/sh', args, env: ['PATH=/usr/bin:/bin'], ...state };
  return step('host', 'hook.run', run, '/rig', 'kill here');
};

interface Fault {
  readonly name: string;
  readonly at: (next: Step) => Step;
  /** What is reported. */
  readonly code: string;
  /** Whether there has to be a process. */
  readonly needsInit: boolean;
  /** Whether the executor is gone, so that `delete --force` has to tidy up. */
  readonly killsExecutor: boolean;
}

const faults: readonly Fault[] = [
  { name: 'fails', code: 'TSR_STEP_FAILED', at: ({ role }) => failing(role), needsInit: false, killsExecutor: false },
  {
    name: 'init is killed',
    code: 'TSR_INIT_DIED',
    at: () => killing('kill -9 $pid'),
    needsInit: true,
    killsExecutor: false,
  },
  {
    name: 'the executor is killed',
    code: 'TSR_EXECUTOR_ANSWER',
    at: () => killing('kill -9 $PPID'),
    needsInit: false,
    killsExecutor: true,
  },
  {
    name: 'both are killed',
    code: 'TSR_EXECUTOR_ANSWER',
    at: () => killing('kill -9 $pid $PPID'),
    needsInit: true,
    killsExecutor: true,
  },
];

/** Carries the plan out with the fault before step `k`; '' or what is wrong with the way it ended. */
function oneRound(bundle: Bundle, mode: Mode, fault: Fault, k: number): string {
  const { plan } = prepare(bundle, 'web', mode);
  const before = plan.steps[k] as Step;
  const steps = [...plan.steps.slice(0, k), fault.at(before), ...plan.steps.slice(k)];
  // Nobody waits any more for init, which has only to wait itself: that it is dead is found by `start`.
  const last = plan.steps.findIndex(({ op }) => op === 'process.wait-start');
  const started = mode === 'create' && (fault.needsInit ? k >= last - 1 : k >= last);
  let problem = '';
  try {
    carryOutHere(bundle.root, 'web', encodePlan({ ...plan, steps }), { warn: () => undefined });
    if (started) problem = failsAtStart(bundle);
    else if (!fault.killsExecutor) problem = 'succeeds';
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    if (error.failure.code !== fault.code) problem = `${error.failure.code}: ${error.failure.message}`;
    else if (fault.code === 'TSR_STEP_FAILED' && error.failure.pointer !== '/rig') problem = 'blames another step';
  }
  if (fault.killsExecutor || started) {
    const { status, stderr } = tsrun(bundle, 'delete', '--force', 'web');
    if (status !== 0) problem += ` delete --force: ${status} ${stderr}`;
  }
  return problem;
}

function failsAtStart(bundle: Bundle): string {
  const { status, stderr } = tsrun(bundle, 'start', 'web');
  return status === 1 && stderr !== '' ? '' : `start: ${status} ${stderr}`;
}

/** What `create` has after wait-start is init's, and nobody of the host is there any more. */
function positions(steps: readonly Step[], mode: Mode, { at, needsInit }: Fault): number[] {
  const born = steps.findIndex(({ op }) => op === 'child.create');
  const ended = steps.findIndex(({ op }) => op === 'process.exec');
  const waits = mode === 'create' ? steps.findIndex(({ op }) => op === 'process.wait-start') : -1;
  return steps.flatMap((next, k) => {
    const previous = steps[k - 1];
    if (previous?.orElseNext || (needsInit && (k <= born || (ended >= 0 && k > ended)))) return [];
    if (waits >= 0 && k >= waits && at(next).role === 'host') return [];
    return [k];
  });
}

function sweep(bundle: Bundle, mode: Mode, fault: Fault, stride: number, phase: number): number {
  const { plan } = prepare(bundle, 'web', mode);
  removeSync(bundle.root);
  const list = positions(plan.steps, mode, fault).filter((_, index) => index % stride === phase);
  for (const k of list) {
    const before = look(bundle.root);
    const problem = oneRound(bundle, mode, fault, k);
    const left = leftSince(before, bundle.root);
    const next = plan.steps[k] as Step;
    const lines = [...(problem === '' ? [] : [problem]), ...left.map((item) => `left: ${item}`)];
    report(`${mode}, ${fault.name} before step ${k} (${next.role}: ${next.summary})`, lines);
    if (left.length > 0) tsrun(bundle, 'delete', '--force', 'web');
  }
  return list.length;
}

/** Every fault in both modes; `thin`: how many times fewer of the steps. */
function allFaults(bundle: Bundle, long: boolean, thin: number): number {
  let rounds = 0;
  for (const mode of ['create', 'run'] as const) {
    for (const [index, fault] of faults.entries()) {
      const stride = long ? 1 : (index === 0 ? 4 : 12) * thin;
      rounds += sweep(
        bundle,
        mode,
        fault,
        stride,
        long ? 0 : (mode === 'run' ? 1 : 0) + (index % stride > 0 ? index : 0),
      );
    }
  }
  removeSync(bundle.directory);
  return rounds;
}

/** @param long every step, otherwise some of each fault. */
export function stepRig(long: boolean): void {
  const began = Date.now();
  const rounds = allFaults(makeBundle('true'), long, 1) + allFaults(makeRecorded('true'), long, 3);
  finish('T-STEP', began, rounds);
}
