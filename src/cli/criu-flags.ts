/** The options of checkpoint and restore. */
import { fail } from '../errors/error.js';
import { isEngine } from '../host/executor.js';
import { lstatIfExists } from '../host/files.js';
import { currentDirectory, ownPid, parentPid } from '../host/process.js';
import type { CriuDirectories } from '../operations/criu.js';
import type { CriuFlags } from '../plan/criu/options.js';
import { absolutePath } from '../state/layout.js';
import type { Context } from './context.js';
import { absolute, firstOwnDescriptor } from './inherited.js';

function statusFd({ options }: Context): number | undefined {
  const text = options.text('status-fd');
  if (text === undefined || text === '-1') return undefined;
  const number = Number(text);
  const holder = isEngine() ? parentPid() : ownPid();
  if (number >= 0 && number < firstOwnDescriptor && lstatIfExists(`/proc/${holder}/fd/${number}`) !== undefined)
    return number;
  return fail(
    'TSR_CLI_VALUE',
    `invalid --status-fd argument ${text}: not an open descriptor below ${firstOwnDescriptor}`,
  );
}

function pageServer({ options }: Context): CriuFlags['pageServer'] {
  const text = options.text('page-server');
  if (text === undefined) return undefined;
  const [, address = '', port = ''] = /^\[?(.+?)\]?:([0-9]{1,5})$/.exec(text) ?? [];
  if (address === '' || Number(port) < 1 || Number(port) > 65535) {
    fail('TSR_CLI_VALUE', 'Use --page-server ADDRESS:PORT to specify page server', { detail: `not '${text}'` });
  }
  return { address, port: Number(port) };
}

export function criuFlags(context: Context): CriuFlags {
  const { options } = context;
  const lazyPages = options.is('lazy-pages');
  return {
    tcpEstablished: options.is('tcp-established'),
    tcpSkipInFlight: options.is('tcp-skip-in-flight'),
    tcpClose: options.is('tcp-close'),
    linkRemap: options.is('link-remap'),
    extUnixSk: options.is('ext-unix-sk'),
    shellJob: options.is('shell-job'),
    lazyPages,
    fileLocks: options.is('file-locks'),
    autoDedup: options.is('auto-dedup'),
    leaveRunning: options.is('leave-running'),
    preDump: options.is('pre-dump'),
    cgroupMode: options.text('manage-cgroups-mode'),
    networkLock: options.text('network-lock'),
    parentPath: options.text('parent-path'),
    pageServer: pageServer(context),
    statusFd: lazyPages ? statusFd(context) : undefined,
    lsmProfile: options.text('lsm-profile'),
    lsmMountContext: options.text('lsm-mount-context'),
  };
}

export function criuDirectories({ options }: Context): CriuDirectories {
  const images = absolutePath(options.text('image-path') ?? 'checkpoint', currentDirectory());
  return { images, work: absolute(options.text('work-path')) };
}
