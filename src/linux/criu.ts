/** CRIU on this host: where it is, how old, what it and the kernel can do. */
import { fail } from '../errors/error.js';
import { statIfExists } from '../host/files.js';
import { environment } from '../host/process.js';
import { runProgram } from '../host/program.js';
import { oldestCriu } from '../tables/criu.js';

/** Engines pass a short PATH, or none. */
const systemDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

const searched = (): string[] => [...(environment('PATH') ?? '').split(':'), ...systemDirectories];

function findIn(directories: readonly string[]): string | undefined {
  for (const directory of directories) {
    if (directory.startsWith('/') && statIfExists(`${directory}/criu`)?.kind === 'file') return `${directory}/criu`;
  }
  return undefined;
}

const isOld = (major: number, minor: number): boolean =>
  major < oldestCriu.major || (major === oldestCriu.major && minor < oldestCriu.minor);

/** The program's path. @throws TSR_CRIU_MISSING, TSR_CRIU_VERSION */
export function findCriu(directories: readonly string[] = searched()): string {
  const path =
    findIn(directories) ?? fail('TSR_CRIU_MISSING', 'criu is not installed', { hint: "install the package 'criu'" });
  const { output, errors, errno } = runProgram(path, ['--version']);
  const [, major, minor] = /^Version: (\d+)\.(\d+)/m.exec(output) ?? [];
  if (major === undefined) {
    return fail('TSR_CRIU_VERSION', `'${path} --version' does not say which version it is`, {
      detail: errors.trim().split('\n')[0] || errno,
    });
  }
  if (isOld(Number(major), Number(minor))) {
    fail('TSR_CRIU_VERSION', `criu ${major}.${minor} is too old`, {
      hint: `version ${oldestCriu.major}.${oldestCriu.minor} or later is needed`,
    });
  }
  return path;
}

/** Whether CRIU can do something with this kernel: `mem_dirty_track`, `uffd-noncoop`. */
export function requireFeature(program: string, feature: string, option: string): void {
  const { status, errors, output } = runProgram(program, ['check', '--feature', feature]);
  if (status === 0) return;
  fail('TSR_CRIU_FEATURE', `--${option} takes a kernel with CRIU's feature '${feature}'`, {
    detail: `${errors}${output}`.trim().split('\n').at(-1) ?? '',
  });
}
