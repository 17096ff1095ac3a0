/** Pages for a browser: `plan --html`, `trace --html`. */
import { fail } from '../errors/error.js';
import { closeFile, errnoOf, openFile, openFlags, writeAll } from '../host/files.js';
import { currentDirectory } from '../host/process.js';
import { absolutePath } from '../state/layout.js';

/** For its owner only, as what it comes from may be. A FIFO that nobody reads is an error and no wait. */
export function writePage(name: string, text: string): void {
  const path = absolutePath(name, currentDirectory());
  const { write, create, truncate, nonBlock } = openFlags;
  try {
    const fd = openFile(path, write | create | truncate | nonBlock, 0o600);
    try {
      writeAll(fd, text);
    } finally {
      closeFile(fd);
    }
  } catch (error) {
    fail('TSR_CLI_OUTPUT', `cannot write the page to '${path}'`, { errno: errnoOf(error) });
  }
}
