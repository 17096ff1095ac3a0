import type { Hook, Hooks } from '../../bundle/types.js';
import type { Role } from '../../generated/ops.js';
import type { Context } from '../options.js';
import { isBefore } from '../../tables/versions.js';
import { type Step, step } from '../step.js';

/** Whose pid the state names: nobody's (0), the container's as the host sees it, init's own as it sees itself. */
const pidKinds = { none: 0, host: 1, own: 2 } as const;

interface Point {
  readonly role: Role;
  readonly pid: keyof typeof pidKinds;
  readonly status: 'creating' | 'created' | 'running' | 'stopped';
}

/** Where each hook runs and what its state says (config.md, POSIX-platform hooks; runtime.md, lifecycle). */
const points: { readonly [K in keyof Hooks]-?: Point } = {
  prestart: { role: 'host', pid: 'host', status: 'creating' },
  createRuntime: { role: 'host', pid: 'host', status: 'creating' },
  createContainer: { role: 'init', pid: 'own', status: 'creating' },
  startContainer: { role: 'init', pid: 'own', status: 'created' },
  poststart: { role: 'host', pid: 'host', status: 'running' },
  poststop: { role: 'host', pid: 'none', status: 'stopped' },
};

/**
 * Before 1.1 prestart hooks were part of `start`, which found the container created: runtime-tools still asks for that
 * of a config of that time.
 */
const statusOf = (name: keyof Hooks, ociVersion: string): Point['status'] =>
  name === 'prestart' && isBefore(ociVersion, 1) ? 'created' : points[name].status;

/** All hooks of one kind, in order. `defaultEnv`: for those that have no `env`. */
export function hookSteps(context: Context, name: keyof Hooks, defaultEnv: readonly string[] = []): Step[] {
  const hooks: readonly Hook[] = context.spec.hooks?.[name] ?? [];
  if (hooks.length === 0) return [];
  const { role, pid } = points[name];
  // Before 1.3 a failed poststart hook was a warning and the next one ran; a failed poststop hook always is one.
  const soft = name === 'poststop' || (name === 'poststart' && isBefore(context.spec.ociVersion, 3));
  const softly = soft ? { tolerate: ['ECHILD', 'ETIMEDOUT'] } : {};
  const { before, after } = context.options.hookState(statusOf(name, context.spec.ociVersion));
  return hooks.map(({ path, args, env, timeout }, index) => {
    const run = {
      timeoutMs: (timeout ?? 0) * 1000,
      pidKind: pidKinds[pid],
      path,
      args: args ?? [path],
      env: env ?? defaultEnv,
      stateBefore: before,
      stateAfter: after,
    };
    return step(role, 'hook.run', run, `/hooks/${name}/${index}`, `run ${name} hook #${index} ${path}`, softly);
  });
}
