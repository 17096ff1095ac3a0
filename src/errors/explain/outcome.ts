import type { Failure } from '../error.js';
import { explainCgroup } from './cgroup.js';
import { programHint, unexecuted } from './program.js';
import { explainRecorder } from './recorder.js';
import { rightsHint } from './rights.js';
import type { StepFailure } from './step-failure.js';

/** Output of a program as one line; render.ts bounds it. */
const lastLines = (text: string): string => text.trim().replace(/\n+/g, ' | ');

/** execvp's three ways to fail, in the words that podman and Docker turn into exit status 126 and 127. */
function explainCommand({ pointer, summary, errno, syscall, text }: StepFailure): Failure | undefined {
  const [, verb, command] = /^(find|execute) (.+)$/.exec(summary) ?? [];
  if (command === undefined) return undefined;
  const base = { pointer, errno, syscall };
  const hint = verb === 'execute' ? programHint(text, errno, 'in the container') : undefined;
  // It is there; what is missing is something that it needs.
  if (errno === 'ENOENT' && hint !== undefined) {
    return { code: 'TSR_PROCESS_INTERPRETER', message: `exec: ${command}`, hint, ...base };
  }
  if (errno === 'ENOENT' && !command.includes('/')) {
    return {
      code: 'TSR_PROCESS_NOT_FOUND',
      message: `exec: ${command}: executable file not found in $PATH`,
      ...base,
    };
  }
  // What execve itself says of a directory; Docker 20.10 looks for these words.
  if (errno === 'EISDIR') {
    return {
      code: 'TSR_PROCESS_NOT_EXECUTABLE',
      message: `exec: ${command}: is a directory`,
      ...base,
      errno: 'EACCES',
    };
  }
  if (errno === 'ENOENT') return { code: 'TSR_PROCESS_NOT_FOUND', message: `exec: ${command}`, ...base };
  const unknown = errno === 'ENOEXEC' ? 'is it a script without #!, or built for another architecture?' : undefined;
  const why = hint ?? unknown;
  return {
    code: 'TSR_PROCESS_NOT_EXECUTABLE',
    message: `exec: ${command}`,
    ...(why === undefined ? {} : { hint: why }),
    ...base,
  };
}

const mountHints: { readonly [errno: string]: string } = {
  ENODEV: 'the kernel does not know this filesystem type',
  ELOOP: 'a symlink lies where the image must have a real directory',
};

/** What the helper said, which is tsrun itself: its own error line, without the head. */
function explainUnit({ pointer, summary, ended, text }: StepFailure): Failure {
  const said = lastLines(text).replace(/^.*?tsrun systemd-unit: /, '');
  return { code: 'TSR_SYSTEMD_UNIT', message: said || ended, step: summary, ...(pointer === '' ? {} : { pointer }) };
}

/** mount_setattr(2), MOUNT_ATTR_IDMAP. */
const idMapHints: { readonly [errno: string]: string } = {
  EINVAL:
    'its filesystem cannot be id-mapped on this kernel: ext4, xfs and btrfs can, overlay since Linux 5.19, tmpfs since 6.3',
  EPERM: 'its filesystem belongs to another user namespace, or it is id-mapped already',
};

/** Of a mount: what to think of the errno, or what the kernel says itself (`e tmpfs: Unknown parameter 'sise'`). */
function mountHint({ summary, errno, syscall, text }: StepFailure): string | undefined {
  if (syscall === 'mount_setattr' && summary.endsWith(', id-mapped')) return idMapHints[errno];
  if (!/^(mount|bind)/.test(summary)) return undefined;
  const said = /^mount /.test(summary) ? /^e (.+)/m.exec(text)?.[1] : undefined;
  return said === undefined ? mountHints[errno] : `the kernel says: ${said}`;
}

/** Of parameters and namespaces of the config. */
function placeHint({ pointer, summary, errno }: StepFailure): string | undefined {
  if (pointer.startsWith('/linux/sysctl/')) {
    if (errno === 'ENOENT') return 'this kernel has no such parameter, or a module that has it is not loaded';
    if (errno === 'EINVAL') return 'the kernel does not take this value';
    return errno === 'EACCES' || errno === 'EPERM' ? 'only the owner of the namespace may set it' : undefined;
  }
  const joined = /^join (\S+) namespace /.exec(summary)?.[1];
  if (joined === undefined) return undefined;
  if (errno === 'EINVAL') return `the file is no ${joined} namespace`;
  if (errno === 'ENOENT')
    return 'there is no such file; of a process that has ended, or of a network namespace that was removed?';
  return errno === 'EACCES' || errno === 'EPERM' ? 'this user may not enter it' : undefined;
}

/** A hook, or newuidmap. It runs on the host, but for the two kinds of hooks that run in the container. */
function explainUnexecuted(
  { pointer, summary, syscall }: StepFailure,
  { errno, description }: NonNullable<ReturnType<typeof unexecuted>>,
): Failure {
  const inside = /^run (createContainer|startContainer) hook /.test(summary);
  const hint = programHint(description, errno, inside ? 'where the hook runs' : 'on the host');
  const missing = errno === 'ENOENT' && hint === undefined ? ': it does not exist' : ': it could not be executed';
  return {
    code: 'TSR_HOOK_FAILED',
    message: `error running ${summary.replace(/^run /, '')}${missing}`,
    ...(pointer === '' ? {} : { pointer }),
    errno,
    syscall,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** newuidmap asks the kernel after it has found the range to be the user's, so EPERM is about itself. */
function idRangeHint(said: string): string {
  return /write to [ug]id_map failed: Operation not permitted/.test(said)
    ? 'it needs its setuid bit or its capability, on a mount without nosuid'
    : '/etc/subuid and /etc/subgid say which ids a user has';
}

/** Turns a failed step into the failure a person reads. */
export function explainStep(step: StepFailure): Failure {
  const { pointer, summary, errno, syscall, ended, text, limitMs = 0 } = step;
  const place = pointer === '' ? {} : { pointer };
  if (errno === 'ECHILD' && summary.includes('systemd unit')) return explainUnit(step);
  if (errno === 'ECHILD' && ended !== '') {
    const missing = unexecuted(text);
    if (missing !== undefined) return explainUnexecuted(step, missing);
    const said = lastLines(text);
    return {
      code: 'TSR_HOOK_FAILED',
      message: `error running ${summary.replace(/^run /, '')}: ${ended}`,
      ...place,
      ...(said ? { detail: said } : {}),
      ...(/ through new[ug]idmap$/.test(summary) ? { hint: idRangeHint(said) } : {}),
    };
  }
  if (errno === 'ETIMEDOUT' && summary.includes('hook')) {
    return {
      code: 'TSR_HOOK_TIMEOUT',
      message: `error running ${summary.replace(/^run /, '')}: it did not end within its timeout of ${limitMs / 1000} s`,
      ...place,
      ...(text === '' ? {} : { detail: lastLines(text) }),
    };
  }
  const record = explainRecorder(step);
  if (record) return record;
  const command = explainCommand(step);
  if (command) return command;
  const cgroup = explainCgroup(step);
  if (cgroup) return cgroup;
  const hint = mountHint(step) ?? rightsHint(step) ?? placeHint(step);
  return {
    code: 'TSR_STEP_FAILED',
    message: '',
    step: summary,
    errno,
    syscall,
    ...place,
    ...(hint ? { hint } : {}),
  };
}
