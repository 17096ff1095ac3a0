/** What a command takes over from its caller: descriptors, and the directory that paths are relative to. */
import { currentDirectory } from '../host/process.js';
import { absolutePath } from '../state/layout.js';
import type { Context } from './context.js';

export const absolute = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : absolutePath(path, currentDirectory());

/** `--preserve-fds N`: those of them that are open; podman means 5 alone with 3, and 3 and 4 closed. */
export const preservedFds = ({ options }: Context): number => Math.min(Number(options.text('preserve-fds') ?? 0), 4096);
