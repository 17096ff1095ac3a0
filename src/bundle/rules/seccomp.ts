import { seccompActions } from '../../tables/seccomp.js';
import type { Reporter, Rule } from '../rule.js';
import type { Seccomp, SeccompAction, Spec } from '../types.js';

const at = '/linux/seccomp';

/** More than any filter of 4096 instructions holds; libseccomp's time grows with their square. */
const mostRules = 20_000;

export const seccompRule: Rule<Spec> = {
  reads: [at],
  check({ linux }, report) {
    const seccomp = linux?.seccomp;
    if (seccomp === undefined) return;
    checkErrno(seccomp.defaultAction, seccomp.defaultErrnoRet, `${at}/defaultErrnoRet`, report);
    if (seccomp.defaultAction === 'SCMP_ACT_NOTIFY') {
      report.error(
        'TSR_SECCOMP_NOTIFY',
        `${at}/defaultAction`,
        "'SCMP_ACT_NOTIFY' cannot be the default action",
        notifyHint,
      );
    }
    if (seccomp.listenerMetadata !== undefined && !seccomp.listenerPath) {
      const message = "'listenerMetadata' is set without 'listenerPath'";
      report.error('TSR_SECCOMP_LISTENER', `${at}/listenerMetadata`, message, "add 'listenerPath' or remove it");
    }
    checkRules(seccomp, report);
  },
};

/** The listener is handed over by a call that the filter may already catch. */
const notifyHint = 'the call that hands the listener over would wait for the agent for ever';

function checkRules(seccomp: Seccomp, report: Reporter): void {
  const rules = seccomp.syscalls ?? [];
  let count = 0;
  for (let index = 0; index < rules.length; index++) {
    const { action, errnoRet, names, args } = rules[index]!;
    count += names.length * Math.max(1, args?.length ?? 0);
    if (errnoRet !== undefined) checkErrno(action, errnoRet, `${at}/syscalls/${index}/errnoRet`, report);
    if (action !== 'SCMP_ACT_NOTIFY') continue;
    if (!seccomp.listenerPath) {
      const message = "'SCMP_ACT_NOTIFY' is used without 'listenerPath'";
      report.error('TSR_SECCOMP_LISTENER', `${at}/syscalls/${index}/action`, message, "add 'listenerPath'");
    }
    if (names.includes('write')) {
      const message = "'SCMP_ACT_NOTIFY' cannot be used for 'write'";
      report.error('TSR_SECCOMP_NOTIFY', `${at}/syscalls/${index}/names`, message, notifyHint);
    }
  }
  if (count > mostRules) {
    const message = `the profile has ${count} rules`;
    report.error('TSR_SECCOMP_TOO_LARGE', `${at}/syscalls`, message, `use at most ${mostRules}`);
  }
}

/** config-linux.md: an errno for an action that takes none MUST be an error. */
function checkErrno(action: SeccompAction, errno: number | undefined, key: string, report: Reporter): void {
  if (errno === undefined) return;
  const limit = seccompActions.get(action)?.errnoLimit;
  if (limit === undefined) {
    report.error('TSR_SECCOMP_ERRNO', key, `'${action}' takes no errno, but it is ${errno}`, 'remove it');
  } else if (errno > limit) {
    report.error('TSR_SECCOMP_ERRNO', key, `errno ${errno} of '${action}' is too large`, `use at most ${limit}`);
  }
}
