/** A recorded profile: what it is made of, how it is written, and which profiles a recording can be added to. */
import type { Seccomp } from '../../bundle/types.js';
import { seccompArchs } from '../../tables/seccomp.js';
import { groupedCalls } from '../../tables/syscall-groups.js';

export interface Recorded {
  readonly names: ReadonlySet<string>;
  readonly architectures: ReadonlySet<string>;
  /** Of the profile that it is added to, which may have been changed by hand. */
  readonly errno?: number | undefined;
}

/**
 * "No such call", for whatever was never seen: it is what C libraries and programs take for an older kernel and get along with, and of a
 * call as old as mkdir nobody else says it. EPERM they take for an answer about the file (docs/decisions/0012).
 */
const enosys = 38;
const eperm = 1;

/**
 * What tsrun itself calls behind a filter, whatever way a container is started; write, exit and exit_group are never shown to the
 * recorder (record.ts).
 */
const ofRuntime = ['capset', 'close', 'execve', 'exit', 'exit_group', 'prctl', 'read', 'write'];
/** What the kernel makes a process call: behind a handler of a signal, and when it goes on after it was stopped. */
const ofKernel = ['restart_syscall', 'rt_sigreturn'];
/** Answered in the process by the vDSO, here; with another clock, kernel or C library they are calls. */
const ofVdso = ['clock_getres', 'clock_gettime', 'getcpu', 'getrandom', 'gettimeofday', 'time'];
/** The same for 32-bit programs; the last three are 32-bit ARM's, whose numbers are apart. */
const of32Bits = ['clock_getres_time64', 'clock_gettime64', 'sigreturn'];
const ofArm = ['breakpoint', 'cacheflush', 'set_tls'];

function namesOf({ names, architectures }: Recorded): Set<string> {
  const arm = architectures.has('SCMP_ARCH_ARM');
  const short = arm || architectures.has('SCMP_ARCH_X86');
  return new Set([...names, ...ofRuntime, ...ofKernel, ...ofVdso, ...(short ? of32Bits : []), ...(arm ? ofArm : [])]);
}

const width = 100;

/** One group as JSON, in lines of a readable length. */
function renderGroup(names: readonly string[]): string {
  const lines: string[] = [];
  let line = '';
  for (const [index, name] of names.entries()) {
    const word = JSON.stringify(name) + (index < names.length - 1 ? ',' : '');
    if (line !== '' && line.length + word.length >= width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? `        ${word}` : `${line} ${word}`;
  }
  lines.push(line);
  return `    {\n      "action": "SCMP_ACT_ALLOW",\n      "names": [\n${lines.join('\n')}\n      ]\n    }`;
}

/** The profile's text. */
export function renderRecorded(recorded: Recorded): string {
  const architectures = [...recorded.architectures].sort().map((name) => JSON.stringify(name));
  const groups = groupedCalls(namesOf(recorded)).map(renderGroup);
  return `{
  "defaultAction": "SCMP_ACT_ERRNO",
  "defaultErrnoRet": ${recorded.errno ?? enosys},
  "architectures": [${architectures.join(', ')}],
  "syscalls": [
${groups.join(',\n')}
  ]
}
`;
}

const keys = ['defaultAction', 'defaultErrnoRet', 'architectures', 'syscalls'];
const isNames = (list: unknown): list is string[] =>
  Array.isArray(list) && list.every((name) => typeof name === 'string');
const isNumber = (value: unknown): boolean => value === undefined || Number.isInteger(value);

/** Names that are allowed, without conditions, an errno for the rest, and nothing else. */
function isRecorded(profile: Partial<Seccomp> | null): profile is Seccomp {
  if (profile === null || typeof profile !== 'object') return false;
  const { defaultAction, defaultErrnoRet, architectures = [], syscalls } = profile;
  return (
    Object.keys(profile).every((key) => keys.includes(key)) &&
    defaultAction === 'SCMP_ACT_ERRNO' &&
    isNumber(defaultErrnoRet) &&
    isNames(architectures) &&
    architectures.every((name) => seccompArchs.has(name)) &&
    Array.isArray(syscalls) &&
    syscalls.every((rule) => rule?.action === 'SCMP_ACT_ALLOW' && !rule.args?.length && isNames(rule.names))
  );
}

/** undefined: the text is no profile that a recording can be added to. */
export function parseRecorded(text: string): Recorded | undefined {
  let profile: Partial<Seccomp> | null;
  try {
    profile = JSON.parse(text) as Partial<Seccomp> | null;
  } catch {
    return undefined;
  }
  if (!isRecorded(profile)) return undefined;
  return {
    names: new Set((profile.syscalls ?? []).flatMap(({ names }) => names)),
    architectures: new Set<string>(profile.architectures ?? []),
    errno: profile.defaultErrnoRet ?? eperm,
  };
}
