import { type CreateRequest, type PreparedCreate, prepareCreate } from '../../operations/create.js';
import { engineFile, isEngine } from '../../host/executor.js';
import { currentDirectory, environment, ownPid, parentPid } from '../../host/process.js';
import { absolutePath } from '../../state/layout.js';
import { startTimeOf } from '../../state/status.js';
import { type Context, stateRoot } from '../context.js';
import { absolute, pidFileOf, preservedFds } from '../inherited.js';
import { inRounds, type Round } from '../rounds.js';
import { openTracer } from '../tracer.js';

/** The process whose end means that creating is over: the executor that waits for our plan. */
function creator(): CreateRequest['creator'] {
  const pid = isEngine() ? parentPid() : ownPid();
  return { pid, startTime: startTimeOf(pid) ?? 0 };
}

/** Socket activation (sd_listen_fds): only what is meant for this very process. */
function listenFds(): { listenFds?: number; listenFdNames?: string } {
  const count = Number(environment('LISTEN_FDS') ?? 0);
  const pid = isEngine() ? parentPid() : ownPid();
  if (!Number.isSafeInteger(count) || count <= 0 || Number(environment('LISTEN_PID')) !== pid) return {};
  const names = environment('LISTEN_FDNAMES');
  return { listenFds: count, ...(names === undefined ? {} : { listenFdNames: names }) };
}

function recordOf(file: string | undefined, merge: string | undefined): CreateRequest['switches']['record'] {
  if (file === undefined && merge === undefined) return undefined;
  return { file: absolute(file), merge: absolute(merge) };
}

function cgroupDriver({ globals }: Context): CreateRequest['driver'] {
  if (globals.is('systemd-cgroup')) return 'systemd';
  return (globals.text('cgroup-manager') ?? 'cgroupfs') as CreateRequest['driver'];
}

/** The systemd driver and all that comes with it, for who asks for it. */
const loadSystemd = async (context: Context): Promise<typeof import('../../operations/systemd.js') | undefined> =>
  cgroupDriver(context) === 'systemd' ? import('../../operations/systemd.js') : undefined;

export async function createRequest(context: Context, mode: CreateRequest['mode']): Promise<CreateRequest> {
  const { options, operands } = context;
  const systemd = await loadSystemd(context);
  const listen = listenFds();
  return {
    root: stateRoot(context),
    id: operands[0] ?? '',
    bundle: absolutePath(options.text('bundle') ?? '.', currentDirectory()),
    config: absolute(options.text('config')),
    mode,
    driver: cgroupDriver(context),
    ...(systemd ? { compileCgroup: systemd.compileInSystemd } : {}),
    creator: creator(),
    engine: engineFile(),
    switches: {
      pidFile: pidFileOf(context),
      consoleSocket: absolute(options.text('console-socket')),
      pidfdSocket: absolute(options.text('pidfd-socket')),
      noPivot: options.is('no-pivot'),
      noNewKeyring: options.is('no-new-keyring'),
      noSubreaper: mode === 'create' ? undefined : options.is('no-subreaper'),
      keep: mode === 'create' ? undefined : options.is('keep'),
      preserveFds: preservedFds(context),
      record: recordOf(options.text('record-seccomp'), options.text('merge')),
      ...listen,
      notifySocket: environment('NOTIFY_SOCKET'),
    },
  };
}

/** For the debug log: which cgroups an ordinary user's container has to do without. */
async function explainCgroups({ log }: Context, { cgroup }: PreparedCreate): Promise<void> {
  const { cgroupsOutOfReach } = await import('../../operations/cgroup-reach.js');
  const missing = cgroupsOutOfReach(cgroup);
  if (missing.length > 0) log.debug(`no cgroup for the container, as it cannot be made: ${missing.join(', ')}`);
}

/** Takes back what the failed plan had made. Returns the reason. */
export async function undo(context: Context, round: Round): Promise<Error> {
  const { rollBack } = await import('../../operations/roll-back.js');
  const systemd = await loadSystemd(context);
  const options = { warn: context.log.warn.bind(context.log), stopUnit: systemd?.stopUnitOf, creator: creator() };
  return rollBack(stateRoot(context).path, context.operands[0] ?? '', round, options);
}

/** A hook that has failed and does not stop anything: as `start` and `delete` say it. */
export async function remark(context: Context, round: Round): Promise<void> {
  const { errorOf } = await import('../../operations/conclude.js');
  context.log.warn(errorOf(round).failure);
}

async function prepare(context: Context, mode: CreateRequest['mode']): Promise<Uint8Array> {
  const prepared: PreparedCreate = prepareCreate(await createRequest(context, mode));
  for (const warning of prepared.warnings) context.log.warn(warning);
  if (context.log.isVerbose) await explainCgroups(context, prepared);
  return prepared.bytes;
}

export async function createOrRun(context: Context, mode: CreateRequest['mode']): Promise<number> {
  const tracer = await openTracer(context);
  return inRounds(
    context.log,
    () => prepare(context, mode),
    (round) => undo(context, round),
    { remark: (round) => remark(context, round), tracer },
  );
}

export const run = (context: Context): Promise<number> => createOrRun(context, 'create');
