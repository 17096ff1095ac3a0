/** What a command takes over from its caller: descriptors, and the directory that paths are relative to. */
import { fail } from '../errors/error.js';
import { currentDirectory } from '../host/process.js';
import { absolutePath } from '../state/layout.js';
import { descriptorOf } from '../tables/descriptors.js';
import type { Context } from './context.js';

export const absolute = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : absolutePath(path, currentDirectory());

/** From this number on there may be descriptors of the executor's own. */
export const firstOwnDescriptor = 200;

/** `--pid-file`: a path, or `/dev/fd/N` for a descriptor that the caller has open. */
export function pidFileOf({ options }: Context): string | undefined {
  const path = absolute(options.text('pid-file'));
  if (path !== undefined && (descriptorOf(path) ?? 0) >= firstOwnDescriptor) {
    fail('TSR_CLI_VALUE', `invalid --pid-file argument ${path}: not a descriptor below ${firstOwnDescriptor}`);
  }
  return path;
}

/** `--preserve-fds N`: those of them that are open; podman means 5 alone with 3, and 3 and 4 closed. */
export const preservedFds = ({ options }: Context): number => Math.min(Number(options.text('preserve-fds') ?? 0), 4096);
