import type { Hook, Hooks } from '../../bundle/types.js';
import { hookFlags, type OpRoles } from '../../generated/ops.js';
import type { Context } from '../options.js';
import { isBefore } from '../../tables/versions.js';
import { type Step, step } from '../step.js';

/** Whose pid the state names: nobody's (0), the container's as the host sees it, init's own as it sees itself. */
const pidKinds = { none: 0, host: 1, own: 2 } as const;

interface Point {
  readonly role: OpRoles['hook.run'];
  readonly pid: keyof typeof pidKinds;
  readonly status: 'creating' | 'created' | 'running' | 'stopped';
}

/**
 * Where each hook runs and what its state says (config.md, POSIX-platform hooks; runtime.md, lifecycle). The container is created
 * in step 2 of the lifecycle, and prestart hooks are step 3; the other two are called as part of the creation.
 */
const points: { readonly [K in keyof Hooks]-?: Point } = {
  prestart: { role: 'host', pid: 'host', status: 'created' },
  createRuntime: { role: 'host', pid: 'host', status: 'creating' },
  createContainer: { role: 'init', pid: 'own', status: 'creating' },
  startContainer: { role: 'init', pid: 'own', status: 'created' },
  poststart: { role: 'host', pid: 'host', status: 'running' },
  poststop: { role: 'host', pid: 'none', status: 'stopped' },
};

/** Without an `env` of its own a hook has that of the runtime's caller (runc, crun), and in the container that of the process. */
export const environmentOf = (env: readonly string[] | undefined, inside?: readonly string[]) =>
  env === undefined && inside === undefined
    ? { flags: hookFlags.callersEnvironment, env: [] }
    : { flags: 0, env: env ?? inside ?? [] };

/** Hooks start in the bundle, where that is to be had: at `delete` an engine may have removed it. */
export const directoryStep = (bundle: string, pointer: string): Step =>
  step('host', 'self.directory', { path: bundle }, pointer, `go to ${bundle}`, {
    tolerate: ['ENOENT', 'ENOTDIR', 'EACCES'],
  });

/** Once, before there is another process, which then is where we are. */
export function hookDirectorySteps({ spec: { hooks = {} }, options }: Context): Step[] {
  const before = [hooks.prestart, hooks.createRuntime, hooks.createContainer];
  const after = options.mode === 'create' ? [] : [hooks.poststart, hooks.poststop];
  return [...before, ...after].some((list) => (list?.length ?? 0) > 0) ? [directoryStep(options.bundle, '/hooks')] : [];
}

/** All hooks of one kind, in order. `inside`: the environment of the container's process. */
export function hookSteps(context: Context, name: keyof Hooks, inside?: readonly string[]): Step[] {
  const hooks: readonly Hook[] = context.spec.hooks?.[name] ?? [];
  if (hooks.length === 0) return [];
  const { role, pid, status } = points[name];
  // Before 1.3 a failed poststart hook was a warning and the next one ran; a failed poststop hook always is one.
  const soft = name === 'poststop' || (name === 'poststart' && isBefore(context.spec.ociVersion, 3));
  const softly = soft ? { tolerate: ['ECHILD', 'ETIMEDOUT'] } : {};
  const { before, after } = context.options.hookState(status);
  return hooks.map(({ path, args, env, timeout }, index) => {
    const run = {
      timeoutMs: (timeout ?? 0) * 1000,
      pidKind: pidKinds[pid],
      path,
      args: args ?? [path],
      ...environmentOf(env, inside),
      stateBefore: before,
      stateAfter: after,
    };
    return step(role, 'hook.run', run, `/hooks/${name}/${index}`, `run ${name} hook #${index} ${path}`, softly);
  });
}
