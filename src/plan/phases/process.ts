import type { Process } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import { capabilityNames, capabilityNumber } from '../../tables/capabilities.js';
import type { Environment, ProcessContext, ProcessOptions } from '../options.js';
import { endsWaiting } from '../../tables/signals.js';
import { containerSocket } from '../../tables/notify.js';
import { type Step, slots, step } from '../step.js';
import { isOwnId } from '../id-map.js';

/** Names of one capability set as bits. Unknown ones are left out; the rules have warned of them. */
export function capabilityMask(names: readonly string[] | undefined): bigint {
  if (names === undefined) return 0n;
  let low = 0;
  let high = 0;
  for (let i = 0; i < names.length; i++) {
    const number = capabilityNumber(names[i] as string);
    if (number === undefined) continue;
    if (number < 32) low |= 1 << number;
    else high |= 1 << (number - 32);
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

function boundingSteps({ process }: ProcessContext): Step[] {
  const names = process.capabilities?.bounding;
  const args = { caps: capabilityMask(names) };
  const summary = `capabilities: ${names?.length ?? 0} bounding`;
  return [step('init', 'process.bounding', args, '/process/capabilities/bounding', summary)];
}

/**
 * What can be granted of a set. A capability that the runtime itself has not is left out with a warning, as the
 * specification has it since 1.1; a new user namespace comes with all of them.
 */
function grantable({ facts, inUserNamespace, warnings }: ProcessContext, asked: bigint, set: string): bigint {
  if (facts.capabilities === undefined || inUserNamespace) return asked;
  const granted = asked & facts.capabilities;
  if (granted !== asked) {
    const message = `${namesOf(asked & ~granted)} left out: the runtime has not got it itself`;
    warnings.push({ code: 'TSR_CAPABILITY_UNAVAILABLE', message, pointer: `/process/capabilities/${set}` });
  }
  return granted;
}

const namesOf = (mask: bigint): string =>
  capabilityNames.filter((_, number) => (mask >> BigInt(number)) & 1n).join(', ');

/** No `capabilities` means none (S25), as in runc and crun. */
function capabilitySteps(context: ProcessContext): Step[] {
  const { effective, permitted, inheritable, ambient } = context.process.capabilities ?? {};
  const args = {
    effective: grantable(context, capabilityMask(effective), 'effective'),
    permitted: grantable(context, capabilityMask(permitted), 'permitted'),
    inheritable: grantable(context, capabilityMask(inheritable), 'inheritable'),
  };
  const pointer = '/process/capabilities';
  const [e, p, i] = [effective?.length ?? 0, permitted?.length ?? 0, inheritable?.length ?? 0];
  const summary = `capabilities: ${e} effective, ${p} permitted, ${i} inheritable`;
  const raised = `capabilities: ${ambient?.length ?? 0} ambient`;
  // The kernel raises only what is permitted and inheritable; that the rest is left out MUST be a warning (config.md; S25).
  const asked = capabilityMask(ambient);
  const caps = asked & args.permitted & args.inheritable;
  // What the runtime has not got has been said already.
  const lost = asked & ~caps & ~(capabilityMask(permitted) & capabilityMask(inheritable));
  if (lost !== 0n) {
    const message = `${namesOf(lost)} left out: an ambient capability has to be permitted and inheritable, too`;
    context.warnings.push({ code: 'TSR_CAPABILITY_AMBIENT', message, pointer: `${pointer}/ambient` });
  }
  return [
    step('init', 'process.capabilities', args, pointer, summary),
    step('init', 'process.ambient', { caps }, `${pointer}/ambient`, raised),
  ];
}

function groupSteps(context: ProcessContext): Step[] {
  const { spec, process, facts } = context;
  const gids = process.user?.additionalGids ?? [];
  const pointer = '/process/user/additionalGids';
  // crun's annotation, set by podman's --group-add keep-groups: the process keeps what the caller has.
  if (spec.annotations?.['run.oci.keep_original_groups'] === '1') return [];
  if (facts.uid !== 0 && context.namespaces.created.has('user') && isOwnId(spec.linux?.gidMappings ?? [], facts.gid)) {
    if (gids.length === 0) return []; // setgroups is off for good, see mappingSteps
    fail('TSR_GROUPS_ROOTLESS', 'cannot set any additional groups in a rootless container', {
      pointer,
      hint: 'map a range of gids in linux.gidMappings',
    });
  }
  const groups = new Uint8Array(gids.length * 4);
  const view = new DataView(groups.buffer);
  for (let i = 0; i < gids.length; i++) view.setUint32(i * 4, gids[i]!, true);
  const summary = gids.length === 0 ? "drop the caller's groups" : `set groups ${gids.join(', ')}`;
  // Somebody else's user namespace may have setgroups off; then there is no way to drop them.
  const rest = gids.length === 0 && context.inUserNamespace ? { tolerate: ['EPERM'] } : {};
  return [step('init', 'process.groups', { groups }, gids.length === 0 ? '' : pointer, summary, rest)];
}

/**
 * Without root the host may reach into init (for exec to join it, for a listener) only while it counts as dumpable. Where
 * nobody else is in its namespaces that harms no one: its program will be dumpable, too (S22).
 */
const mayBeDumpable = ({ facts, namespaces: { created } }: ProcessContext): boolean =>
  facts.uid !== 0 && created.has('user') && created.has('pid');

function seccompSteps(context: ProcessContext): Step[] {
  const { options } = context;
  if (options.seccomp === undefined) return [];
  const { filter, flags, rules, agent } = options.seccomp;
  const records = agent?.records;
  const summary =
    records === undefined
      ? `load the seccomp filter (${rules} rules, ${filter.length / 8} instructions)`
      : 'load the seccomp filter that shows each call to the recorder';
  const dumpable = agent !== undefined && mayBeDumpable(context) ? 1 : 0;
  const steps = [step('init', 'process.seccomp', { flags, dumpable, filter }, records ?? '/linux/seccomp', summary)];
  if (agent !== undefined) {
    const { path, before, between, after } = agent;
    const args = { slot: slots.seccompListener, release: records === undefined ? 0 : 1, before, between, after };
    const pointer = records ?? '/linux/seccomp/listenerPath';
    const to = records === undefined ? path : 'the recorder';
    steps.push(step('host', 'seccomp.send-listener', args, pointer, `send the seccomp listener to ${to}`));
  }
  return steps;
}

/**
 * A filter with an agent cannot wait for the last moment: the host, which tells the agent, is gone by then. Nor can one where
 * programs of the image run before: they have what confines the payload, as with runc and crun (S28).
 */
const loadsLast = ({ process, options, spec: { hooks } }: ProcessContext): boolean =>
  process.noNewPrivileges === true &&
  options.seccomp?.agent === undefined &&
  (hooks?.startContainer ?? []).length === 0;

/** AppArmor and SELinux take effect at exec. A label that cannot be written is fatal (S08). */
export function labelSteps({ process, facts }: ProcessContext): Step[] {
  const steps: Step[] = [];
  const { apparmorProfile, selinuxLabel } = process;
  if (apparmorProfile !== undefined && apparmorProfile !== '') {
    if (facts.lsm?.apparmor === false) {
      const pointer = '/process/apparmorProfile';
      fail('TSR_APPARMOR_OFF', "'apparmorProfile' is set, but the kernel has AppArmor off", { pointer });
    }
    const args = { file: 'apparmor/exec', fallback: 'exec', value: `exec ${apparmorProfile}` };
    const summary = `AppArmor profile ${apparmorProfile} at exec`;
    steps.push(step('init', 'process.label', args, '/process/apparmorProfile', summary));
  }
  if (selinuxLabel !== undefined && selinuxLabel !== '') {
    if (facts.lsm?.selinux === false) {
      const pointer = '/process/selinuxLabel';
      fail('TSR_SELINUX_OFF', "'selinuxLabel' is set, but the kernel has SELinux off", { pointer });
    }
    const args = { file: 'exec', fallback: '', value: selinuxLabel };
    steps.push(step('init', 'process.label', args, '/process/selinuxLabel', `SELinux label ${selinuxLabel} at exec`));
  }
  return steps;
}

/** What a keyring that is made gets; execve takes it back. */
export function keyLabelSteps({ process: { selinuxLabel: label }, options }: ProcessContext): Step[] {
  if (options.noNewKeyring || label === undefined || label === '') return [];
  const args = { file: 'keycreate', fallback: '', value: label };
  return [step('init', 'process.label', args, '/process/selinuxLabel', `SELinux label ${label} for the keyring`)];
}

/** The session keyring of the container's own, so that its keys are neither the caller's nor another container's. */
export function keyringSteps({ options }: ProcessContext): Step[] {
  if (options.noNewKeyring) return [];
  const name = `_ses.${options.id}`;
  return [step('init', 'keyring.join', { name }, '', `join session keyring ${name}`, { tolerate: ['ENOSYS'] })];
}

/** The working directory, made if it is missing, while the process may still do that: /root is closed to others. */
export function directorySteps({ process }: ProcessContext): Step[] {
  const { cwd } = process;
  // A home on FUSE or NFS may be closed to root: tried again as the user, see confineSteps.
  const closed = { tolerate: ['EPERM', 'EACCES'] };
  const args = { create: 1, path: cwd };
  return [step('init', 'process.directory', args, '/process/cwd', `change directory to ${cwd}`, closed)];
}

/** The last value of a name wins, in the place of the first; a HOME that is empty counts as absent (runc). */
export function environmentOf(process: Process, options: ProcessOptions): Environment {
  const entries = new Map<string, string>();
  for (const entry of process.env ?? []) {
    const equals = entry.indexOf('=');
    entries.set(equals < 0 ? entry : entry.slice(0, equals), entry);
  }
  if (entries.get('HOME') === 'HOME=') entries.delete('HOME');
  const count = options.listenFds ?? 0;
  if (count > 0) {
    entries.set('LISTEN_FDS', `LISTEN_FDS=${count}`);
    entries.set('LISTEN_PID', 'LISTEN_PID=1');
    if (options.listenFdNames !== undefined) entries.set('LISTEN_FDNAMES', `LISTEN_FDNAMES=${options.listenFdNames}`);
  }
  if (options.notifySocket !== undefined) entries.set('NOTIFY_SOCKET', `NOTIFY_SOCKET=${containerSocket}`);
  const env: string[] = [];
  for (const entry of entries.values()) env.push(entry);
  return { env, hasHome: entries.has('HOME') };
}

/**
 * Where args[0] may be: execvp's rule with the container's own PATH. Neither runc nor crun has a default PATH, and
 * both refuse an empty or relative directory in it, which would be found relative to a directory the image chooses.
 */
export function candidatesOf(command: string, env: readonly string[]): string[] {
  if (command.includes('/')) return [command];
  let path = '';
  for (const entry of env) if (entry.startsWith('PATH=')) path = entry.slice(5);
  const candidates: string[] = [];
  for (const directory of path.split(':')) if (directory.startsWith('/')) candidates.push(`${directory}/${command}`);
  return candidates;
}

/** What init is while it waits for a start that will be refused. Executing it would be ENOENT. */
export const noProcess: Process = { args: [], cwd: '/', user: { uid: 0, gid: 0 } };

function findSteps({ process, environment }: ProcessContext): Step[] {
  if (process === noProcess) return [];
  const command = process.args[0] ?? fail('TSR_PROCESS_ARGS', 'args must not be empty', { pointer: '/process/args' });
  const candidates = candidatesOf(command, environment.env);
  return [step('init', 'process.find', { candidates }, '/process/args/0', `find ${command}`)];
}

/**
 * What confines the process, in the one order that works: what needs privileges goes first, what takes them away
 * later. Without no_new_privs loading a filter is a privilege, so that is done before they go, see execSteps.
 */
export function confineSteps(context: ProcessContext): Step[] {
  const { process } = context;
  const { uid, gid, umask } = process.user ?? { uid: 0, gid: 0 };
  const mask = umask ?? 0o022;
  const octal = `0${mask.toString(8).padStart(3, '0')}`;
  const { hasHome } = context.environment;
  const steps = [
    step('init', 'process.umask', { mask }, umask === undefined ? '' : '/process/user/umask', `set umask ${octal}`),
    ...boundingSteps(context),
  ];
  if (!hasHome) {
    // While the process may still read the file.
    const summary = `take HOME of uid ${uid} from the container's passwd`;
    steps.push(step('init', 'process.home', { uid }, '/process/env', summary));
  }
  steps.push(...groupSteps(context));
  steps.push(step('init', 'process.user', { uid, gid }, '/process/user', `become uid ${uid}, gid ${gid}`));
  // With the rights it will have when it executes it (S20).
  const caps = capabilityMask(process.capabilities?.effective);
  const again = `change directory to ${process.cwd}, if root could not`;
  steps.push(step('init', 'process.directory', { create: 2, path: process.cwd }, '/process/cwd', again));
  steps.push(step('init', 'process.effective', { caps }, '/process/capabilities/effective', 'use the final rights'));
  steps.push(...findSteps(context), ...closeSteps(context));
  // Without no_new_privs loading a filter takes CAP_SYS_ADMIN: as late as can be, since few calls are sure behind it.
  if (!process.noNewPrivileges) steps.push(...seccompSteps(context));
  steps.push(...capabilitySteps(context));
  if (process.noNewPrivileges) {
    steps.push(step('init', 'process.no-new-privileges', {}, '/process/noNewPrivileges', 'set no_new_privs'));
    if (!loadsLast(context)) steps.push(...seccompSteps(context));
  }
  return steps;
}

/** Nothing but the standard streams and what was asked for stays open (S18). */
export function closeSteps({ options }: ProcessContext): Step[] {
  const kept = keptFds(options);
  const summary = kept === 0 ? 'close all descriptors but 0, 1, 2' : `close all descriptors from ${3 + kept} on`;
  return [step('init', 'process.close-fds', {}, '', summary)];
}

export const keptFds = (options: ProcessOptions): number => (options.preserveFds ?? 0) + (options.listenFds ?? 0);

/** Under no_new_privs the filter comes here, so that it need not allow anything but execve (S28). */
export function execSteps(context: ProcessContext): Step[] {
  const { env } = context.environment;
  const { args } = context.process;
  return [
    ...(loadsLast(context) ? seccompSteps(context) : []),
    step(
      'init',
      'process.exec',
      { args, env },
      '/process/args',
      `execute ${args[0] ?? 'nothing: there is no process'}`,
    ),
  ];
}

/**
 * create: a signal ends what waits for `start`, as it would end a program that has not got to setting its handlers. Before
 * the filter, which may forbid the call; nobody is told of the process sooner.
 */
export function endOnSteps({ options }: ProcessContext): Step[] {
  if (options.mode !== 'create') return [];
  let signals = 0n;
  for (const signal of endsWaiting) signals |= 1n << BigInt(signal - 1);
  return [step('init', 'process.end-on', { signals }, '', 'end on a signal while it waits for start')];
}

/** create: say that all is ready, then sleep until `start` writes into the fifo. */
export function waitSteps(context: ProcessContext): Step[] {
  if (context.options.mode !== 'create') return [];
  const dumpable = mayBeDumpable(context) ? 1 : 0;
  const args = { fifoSlot: slots.execFifo, replySlot: slots.replyFifo, dumpable };
  return [step('init', 'process.wait-start', args, '', 'wait for start')];
}
