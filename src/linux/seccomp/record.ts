/**
 * The filter that shows calls to an agent. `write` passes unseen: by it the process says that there is a listener, and would wait for
 * ever for one who does not have that yet. So do exit and exit_group: a program must be able to end even if the agent has died.
 */
import { fail } from '../../errors/error.js';
import { architecture } from '../../host/process.js';
import {
  newListenerFlag,
  seccompActions,
  seccompArchOfHost,
  seccompArchs,
  seccompFlags,
} from '../../tables/seccomp.js';
import { dataOffset, encodeInstructions, opcode } from './bpf.js';
import type { CompiledSeccomp } from './compile.js';
import { supportsFlag, supportsListener } from './kernel.js';

/** write, exit, exit_group. */
const unseenNumbers: ReadonlyMap<string, readonly number[]> = new Map([
  ['x64', [1, 60, 231]],
  ['arm64', [64, 93, 94]],
]);

export function recordingFilter(): CompiledSeccomp {
  const arch = seccompArchs.get(seccompArchOfHost(architecture()) ?? '');
  const unseen = unseenNumbers.get(architecture());
  if (arch === undefined || unseen === undefined) {
    return fail('TSR_RECORD_SECCOMP', `recording system calls is not there for '${architecture()}'`);
  }
  const plain = { jt: 0, jf: 0 };
  const filter = encodeInstructions([
    { ...plain, code: opcode.load, k: dataOffset.arch },
    { code: opcode.jumpEqual, jt: 0, jf: unseen.length + 2, k: arch.audit },
    { ...plain, code: opcode.load, k: dataOffset.nr },
    ...unseen.map((k, i) => ({
      code: opcode.jumpEqual,
      jt: unseen.length - 1 - i,
      jf: i < unseen.length - 1 ? 0 : 1,
      k,
    })),
    { ...plain, code: opcode.return, k: seccompActions.get('SCMP_ACT_ALLOW')!.value },
    { ...plain, code: opcode.return, k: seccompActions.get('SCMP_ACT_NOTIFY')!.value },
  ]);
  if (!supportsListener()) {
    fail('TSR_RECORD_SECCOMP', 'this kernel does not show system calls to anybody (SECCOMP_RET_USER_NOTIF)', {
      hint: 'it was built without, or a filter around tsrun forbids to ask for it',
    });
  }
  // With the second, a signal does not interrupt a call that the agent has already taken (5.19).
  let flags = newListenerFlag;
  for (const name of ['SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'])
    if (supportsFlag(name)) flags |= seccompFlags.get(name)!;
  return { filter, flags, listener: true, rules: 0, allowed: [] };
}
