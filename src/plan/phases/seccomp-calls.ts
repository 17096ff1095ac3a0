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

/** Whether a profile is sure to let the executor make these calls once its filter is on. "Perhaps not" counts as no. */
export function allowsCalls({ defaultAction, syscalls = [] }: Seccomp, names: readonly string[]): boolean {
  return names.every((name) => {
    const rules = syscalls.filter((rule) => rule.names.includes(name));
    if (rules.some(({ action }) => !allows(action))) return false;
    return allows(defaultAction) || rules.some((rule) => isMet(rule, name));
  });
}
