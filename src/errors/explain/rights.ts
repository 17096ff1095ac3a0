/** Failures that come from who the caller is, or which ids the container's user namespace has. */
import type { StepFailure } from './step-failure.js';

const addUserNamespace =
  'without root it needs a user namespace: add { "type": "user" } to linux.namespaces, with uidMappings and gidMappings; \'tsrun spec --rootless\' writes such a config';

const startHints: { readonly [errno: string]: string } = {
  EPERM:
    'this user may not make user namespaces: see the sysctls kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns',
  ENOSPC: 'there are as many of them as the sysctls user.max_*_namespaces allow',
  EINVAL: 'this kernel lacks one of these namespaces',
};

function startHint(summary: string, errno: string): string | undefined {
  const kinds = /^start init in new (.*) namespaces?$/.exec(summary)?.[1]?.split(', ');
  if (kinds === undefined) return undefined;
  return errno === 'EPERM' && !kinds.includes('user') ? addUserNamespace : startHints[errno];
}

/** setresuid(2), setresgid(2) and setgroups(2) say EINVAL to an id that the user namespace does not have. */
function idHint(summary: string, errno: string, syscall: string): string | undefined {
  if (!/^(become uid|set groups) /.test(summary) || errno !== 'EINVAL') return undefined;
  const kind = syscall === 'setresuid' ? 'uid' : 'gid';
  return `the user namespace has no such ${kind}: linux.${kind}Mappings has to map it, or choose another one`;
}

/** Undefined: nothing is known about it. */
export const rightsHint = ({ summary, errno, syscall }: StepFailure): string | undefined =>
  startHint(summary, errno) ?? idHint(summary, errno, syscall);
