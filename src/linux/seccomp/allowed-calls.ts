import type { Seccomp, SeccompSyscall } from '../../bundle/types.js';

/** CLONE_PARENT, with no signal to the parent's parent: how a joiner has its child. */
const joinersChild = 0x8000n;

const allows = (action: string): boolean => action === 'SCMP_ACT_ALLOW' || action === 'SCMP_ACT_LOG';

/** Whether the rule is sure to be about the call as the executor makes it. */
function isMet({ args = [] }: SeccompSyscall, name: string): boolean {
  return args.every(({ index, value, valueTwo = 0, op }) => {
    if (name !== 'clone' || index !== 0) return false;
    if (op === 'SCMP_CMP_MASKED_EQ') return (joinersChild & BigInt(value)) === BigInt(valueTwo);
    return op === 'SCMP_CMP_EQ' && BigInt(value) === joinersChild;
  });
}

/** What the executor calls after its filter is on, where an exec's process gets that before it is born (compile-exec.ts). */
export const joinersCalls = ['clone', 'exit_group', 'write', 'read', 'setsid', 'ioctl', 'prlimit64'] as const;
export type JoinersCall = (typeof joinersCalls)[number];

/** Those of them that a profile is sure to let through. "Perhaps not" counts as no. */
export function allowedCalls({ defaultAction, syscalls = [] }: Seccomp): JoinersCall[] {
  const met = new Set<string>();
  const denied = new Set<string>();
  for (const rule of syscalls) {
    for (const name of rule.names) {
      if (!(joinersCalls as readonly string[]).includes(name)) continue;
      if (!allows(rule.action)) denied.add(name);
      else if (isMet(rule, name)) met.add(name);
    }
  }
  return joinersCalls.filter((name) => !denied.has(name) && (allows(defaultAction) || met.has(name)));
}
