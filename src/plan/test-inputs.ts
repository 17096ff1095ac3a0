/** Inputs of the compiler for tests: a small config, a host, options; and ways to look at what came out. */
import { singly } from './step-items.js';
import type { Linux, Process, Seccomp, Spec } from '../bundle/types.js';
import { TsrunError } from '../errors/error.js';
import type { HostFacts } from '../linux/facts.js';
import { compileCreate } from './compile.js';
import type { CompiledPlan, CompileOptions } from './options.js';
import type { Step } from './step.js';

export const testHost: HostFacts = {
  cgroupMode: 'v2',
  hierarchies: [{ version: 2, controllers: ['cpu', 'memory', 'pids'], mountPoint: '/sys/fs/cgroup', ownPath: '/user' }],
  delegatedFiles: ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'],
  uid: 0,
  gid: 0,
  inUserNamespace: false,
};

export const testOptions: CompileOptions = {
  id: 'web',
  bundle: '/bundle',
  stateDir: '/run/tsrun/web',
  mode: 'create',
  creating: { before: '{"status":"creating","pid":', between: ',"startTime":', after: '}' },
  ready: { before: '{"status":"ready","pid":', between: ',"startTime":', after: '}' },
  hookState: (status) => ({ before: `{"id":"web","status":"${status}","pid":`, after: ',"bundle":"/bundle"}' }),
};

/** With these, the plans of later calls are kept, as the command does it. */
export const testKeeping: Pick<CompileOptions, 'keeper' | 'here'> = {
  keeper: { uid: 0, permitted: 0x1ffffffffffn, engine: { inode: 77n, modifiedNs: 1_790_000_000_123_456_789n } },
  here: { bootId: '6f1b0e4e-5a53-4d54-9b0b-0f1f0a5b8f11', pidNamespaceInode: 4026531836 },
};

/** Changes to the smallest config there is: `process` and `linux` are merged, the rest replaces. */
export interface SpecChanges extends Partial<Omit<Spec, 'process' | 'linux'>> {
  readonly process?: Partial<Process>;
  readonly linux?: Partial<Linux>;
}

export function testSpec({ process, linux, ...rest }: SpecChanges = {}): Spec {
  return {
    ociVersion: '1.2.0',
    process: { args: ['/bin/true'], cwd: '/', user: { uid: 0, gid: 0 }, ...process },
    root: { path: 'rootfs' },
    linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }, { type: 'uts' }], ...linux },
    ...rest,
  };
}

export const namespaces = (...types: string[]): NonNullable<Linux['namespaces']> =>
  types.map((type) => ({ type })) as unknown as NonNullable<Linux['namespaces']>;

export const compile = (
  changes: SpecChanges = {},
  options: Partial<CompileOptions> = {},
  facts: Partial<HostFacts> = {},
): CompiledPlan => compileCreate(testSpec(changes), { ...testHost, ...facts }, { ...testOptions, ...options });

/** Steps whose operation starts with one of `ops`, in order. */
export const pick = ({ steps }: { readonly steps: readonly Step[] }, ...ops: string[]): Step[] =>
  steps.flatMap(singly).filter(({ op }) => ops.some((start) => op.startsWith(start)));

/** Arguments of the only step of an operation. */
export function only<K extends Step['op']>(plan: CompiledPlan, op: K): Extract<Step, { op: K }> {
  const found = plan.steps.filter((step) => step.op === op);
  if (found.length !== 1) throw new Error(`${found.length} steps of ${op}`);
  return found[0] as Extract<Step, { op: K }>;
}

/** Where the operations are in the plan, for asserting order. */
export const places = ({ steps }: CompiledPlan, ...ops: string[]): number[] =>
  ops.map((op) => steps.findIndex((step) => step.op === op));

/** Code and pointer of the refusal. */
export function refusal(make: () => unknown): { code: string; pointer: string; message: string } {
  try {
    make();
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    const { code, pointer = '', message } = error.failure;
    return { code, pointer, message };
  }
  throw new Error('not refused');
}

/** In a filter's place, where no libseccomp is to be asked. */
export const standIn = ({ syscalls = [] }: Seccomp): NonNullable<CompileOptions['seccomp']> => ({
  filter: new Uint8Array(16),
  flags: 0,
  rules: syscalls.length,
  allowed: [],
});
