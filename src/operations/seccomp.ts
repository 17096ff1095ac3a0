/** The compiled profile of a container or an exec, and what its agent is told (config-linux.md, seccomp). */
import type { Seccomp } from '../bundle/types.js';
import { loadSeccomp, type ProfileText } from '../linux/seccomp/cache.js';
import type { CompileOptions, HookText } from '../plan/options.js';

/**
 * @param text the profile's in its config.
 * @param state the container's, around the pid; with an empty `after` it is whole.
 * @throws TsrunError when the profile cannot be compiled.
 */
export function seccompPart(
  seccomp: Seccomp | undefined,
  stateRoot: string,
  ociVersion: string,
  state: () => HookText,
  text?: ProfileText,
): CompileOptions['seccomp'] {
  if (seccomp === undefined) return undefined;
  const compiled = loadSeccomp(seccomp, stateRoot, text);
  const path = seccomp.listenerPath ?? '';
  // The path without a rule that notifies: there is no listener to send.
  if (!compiled.listener || path === '') return compiled;
  const { listenerMetadata: metadata } = seccomp;
  const head = JSON.stringify({ ociVersion, fds: ['seccompFd'], ...(metadata === undefined ? {} : { metadata }) });
  const { before, after } = state();
  const end = after === '' ? '}' : '';
  const agent = {
    path,
    before: `${head.slice(0, -1)},"pid":`,
    between: `,"state":${before}${end}`,
    after: end === '' ? `${after}}` : '',
  };
  return { ...compiled, agent };
}
