/** What the running kernel's seccomp(2) takes. */
import { architecture } from '../../host/process.js';
import { askSeccomp } from '../../host/system-call.js';
import { newListenerFlag, seccompCallNumber, seccompFlags } from '../../tables/seccomp.js';

const setModeFilter = 1;
const efault = 14;

/**
 * Asks the kernel by a call that cannot succeed: known flags get as far as the missing program (EFAULT), unknown ones
 * give EINVAL (seccomp(2)). libseccomp is not asked, since only the kernel sees the flags: 2.5 knows no
 * WAIT_KILLABLE_RECV, Linux 5.19 does.
 */
export function supportsFlag(name: string): boolean {
  const bit = seccompFlags.get(name);
  const number = seccompCallNumber(architecture());
  if (bit === undefined || number === undefined) return false;
  // WAIT_KILLABLE_RECV alone is invalid: it says how the listener waits.
  const flags = name === 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV' ? bit | newListenerFlag : bit;
  return askSeccomp(number, setModeFilter, flags) === -efault;
}

/** Whether a filter may show calls to an agent: Linux 5.0, with CONFIG_SECCOMP_FILTER, and no other filter that forbids it. */
export function supportsListener(): boolean {
  const number = seccompCallNumber(architecture());
  return number !== undefined && askSeccomp(number, setModeFilter, newListenerFlag) === -efault;
}

/** For `features`: the known flags this kernel takes, sorted. Loads koffi under Node. */
export const supportedFlags = (): string[] => [...seccompFlags.keys()].filter(supportsFlag);
