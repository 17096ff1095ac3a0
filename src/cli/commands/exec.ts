import { TsrunError } from '../../errors/error.js';
import { isFrozen } from '../../linux/cgroup/freezer.js';
import { engineFile } from '../../host/executor.js';
import { type ExecRequest, type PreparedExec, prepareExec } from '../../operations/exec.js';
import { type Context, stateRoot } from '../context.js';
import { inRounds, type Round } from '../rounds.js';
import { settle } from '../settle.js';
import { openTracer } from '../tracer.js';
import { absolute, pidFileOf, preservedFds } from '../inherited.js';

/** So that nobody takes our failure for the command's. */
const failureStatus = 255;

function execRequest(context: Context): ExecRequest {
  const { options, operands } = context;
  return {
    root: stateRoot(context).path,
    id: operands[0] ?? '',
    mode: options.is('detach') ? 'run-detached' : 'run',
    processFile: absolute(options.text('process')),
    flags: {
      args: operands.slice(1),
      cwd: options.text('cwd'),
      env: options.list('env'),
      tty: options.is('tty'),
      user: options.last('user'),
      additionalGids: options.list('additional-gids'),
      processLabel: options.text('process-label'),
      apparmor: options.text('apparmor'),
      noNewPrivs: options.last('no-new-privs') === undefined ? undefined : options.is('no-new-privs'),
      caps: options.list('cap'),
    },
    cgroups: options.list('cgroup'),
    ignorePaused: options.is('ignore-paused'),
    switches: {
      pidFile: pidFileOf(context),
      consoleSocket: absolute(options.text('console-socket')),
      pidfdSocket: absolute(options.text('pidfd-socket')),
      preserveFds: preservedFds(context),
    },
  };
}

async function explain(context: Context, round: Round): Promise<TsrunError> {
  const { explainExec } = await import('../../operations/exec-failure.js');
  const fromFile = context.options.text('process') !== undefined;
  return explainExec(stateRoot(context).path, context.operands[0] ?? '', round, fromFile);
}

function prepare(context: Context, request: ExecRequest): PreparedExec {
  const prepared = prepareExec(request, isFrozen);
  for (const warning of prepared.warnings) context.log.warn(warning);
  return prepared;
}

async function remember({ words, operands }: Context, request: ExecRequest, prepared: PreparedExec): Promise<void> {
  const { rememberExec } = await import('../../operations/keep-exec.js');
  const at = words.length - operands.length;
  rememberExec(request, prepared, { options: words.slice(0, at), operands: words.slice(at) }, engineFile());
}

export async function run(context: Context): Promise<number> {
  try {
    let request: ExecRequest;
    let prepared: PreparedExec;
    const tracer = await openTracer(context);
    return await inRounds(
      context.log,
      () => {
        request = execRequest(context);
        prepared = prepare(context, request);
        return prepared.bytes;
      },
      (round) => explain(context, round),
      // One that is traced is looked at, and not kept.
      tracer ? { tracer } : { meanwhile: () => remember(context, request, prepared) },
    );
  } catch (thrown) {
    const error = await settle(thrown);
    if (error instanceof TsrunError && error.exitCode === 1) error.exitCode = failureStatus;
    throw error;
  }
}
