/** The process of an exec: from a process file or from flags, completed with the container's confinement (S56). */
import { checkProcess, type ProcessDocument } from '../bundle/process-document.js';
import type { Process, Spec } from '../bundle/types.js';
import { type Failure, fail } from '../errors/error.js';
import type { Confinement } from '../state/record.js';

/** What the command line says about the process when there is no process file. */
export interface ExecFlags {
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  readonly env: readonly string[];
  readonly tty: boolean;
  readonly user?: string | undefined;
  readonly additionalGids: readonly string[];
  readonly processLabel?: string | undefined;
  readonly apparmor?: string | undefined;
  /** Undefined: as the container's process. */
  readonly noNewPrivs?: boolean | undefined;
  readonly caps: readonly string[];
}

export interface ExecProcess {
  readonly process: Process;
  /** What the process file says, if there was one. */
  readonly text?: string;
  readonly warnings: readonly Failure[];
}

const largestId = 0x7fffffff;

/** Digits and nothing else: a number is never looked up as a name, and a sign or a blank is no number (S26). */
function idOf(text: string, option: string, whole: string): number {
  const id = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (id <= largestId) return id;
  return fail('TSR_EXEC_ID', `--${option} takes decimal ids from 0 to ${largestId}, not '${whole}'`, {
    hint: option === 'user' ? 'write UID or UID:GID; names are not looked up' : 'names are not looked up',
  });
}

function userOf(base: Process['user'], { user, additionalGids }: ExecFlags): NonNullable<Process['user']> {
  const result = { uid: 0, gid: 0, ...base };
  if (user !== undefined) {
    const colon = user.indexOf(':');
    result.uid = idOf(colon < 0 ? user : user.slice(0, colon), 'user', user);
    if (colon >= 0) result.gid = idOf(user.slice(colon + 1), 'user', user);
  }
  if (additionalGids.length === 0) return result;
  const added = additionalGids.map((gid) => idOf(gid, 'additional-gids', gid));
  return { ...result, additionalGids: [...(base?.additionalGids ?? []), ...added] };
}

/** `--cap` never adds to the inheritable set, and to the ambient one only what is inheritable already (S25). */
function capabilitiesOf(base: Process['capabilities'], caps: readonly string[]): Process['capabilities'] {
  if (caps.length === 0) return base;
  const add = (set: readonly string[] | undefined, more: readonly string[]): string[] => [
    ...new Set([...(set ?? []), ...more]),
  ];
  const inheritable = base?.inheritable ?? [];
  const ambient = caps.filter((cap) => inheritable.includes(cap));
  return {
    ...base,
    bounding: add(base?.bounding, caps),
    effective: add(base?.effective, caps),
    permitted: add(base?.permitted, caps),
    ...(ambient.length > 0 ? { ambient: add(base?.ambient, ambient) } : {}),
  };
}

/** The container's own process with what the flags change. */
export function processFromFlags({ process: base }: Spec, flags: ExecFlags): ExecProcess {
  if (flags.args.length === 0) fail('TSR_EXEC_ARGS', 'exec args cannot be empty');
  const { cwd, processLabel, apparmor, noNewPrivs } = flags;
  const capabilities = capabilitiesOf(base?.capabilities, flags.caps);
  const changed: Process = {
    ...base,
    args: flags.args,
    cwd: cwd ?? base?.cwd ?? '/',
    env: [...(base?.env ?? []), ...flags.env],
    terminal: flags.tty,
    user: userOf(base?.user, flags),
    ...(capabilities ? { capabilities } : {}),
    ...(processLabel === undefined ? {} : { selinuxLabel: processLabel }),
    ...(apparmor === undefined ? {} : { apparmorProfile: apparmor }),
    ...(noNewPrivs === undefined ? {} : { noNewPrivileges: noNewPrivs }),
  };
  return checkProcess(changed, [
    ...flags.args,
    ...flags.env,
    ...flags.caps,
    changed.cwd ?? '',
    processLabel ?? '',
    apparmor ?? '',
  ]);
}

/** What a process file leaves out is as it was for the container's process; only no_new_privs is always its own (runc). */
function complete(process: Process, confinement: Confinement): Process {
  const { capabilities, rlimits, apparmorProfile, selinuxLabel, umask } = confinement;
  const { scheduler, ioPriority, execCPUAffinity, oomScoreAdj } = confinement;
  const own = process.rlimits ?? [];
  const given = rlimits.map(({ type, soft, hard }) => ({ type, soft: BigInt(soft), hard: BigInt(hard) }));
  const saved = { capabilities, apparmorProfile, selinuxLabel, scheduler, ioPriority, execCPUAffinity, oomScoreAdj };
  const { user = { uid: 0, gid: 0 } } = process;
  return {
    ...(saved as Partial<Process>),
    ...process,
    rlimits: own.length > 0 ? own : (given as NonNullable<Process['rlimits']>),
    user: umask === undefined ? user : { umask, ...user },
  };
}

/** The process of a file, as engines give it. */
export const completeProcess = (document: ProcessDocument, confinement: Confinement): ExecProcess => ({
  ...document,
  process: complete(document.process, confinement),
});
