/** The two claims that decide a race, each one atomic system call on a name. */
import { fail } from '../errors/error.js';
import { errnoOf, makeDirectory, renamePath } from '../host/files.js';
import { stateFiles } from '../tables/state-files.js';

/** Claims an id: of two creates, one makes the directory (R01). Returns the directory. */
export function claimId(root: string, id: string): string {
  const directory = `${root}/${id}`;
  try {
    makeDirectory(directory, 0o700);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST') fail('TSR_STATE_EXISTS', 'container with given ID already exists');
    fail('TSR_STATE_WRITE', `cannot make state directory '${directory}'`, { errno });
  }
  return directory;
}

/**
 * Claims the start: of two, one renames the FIFO (R02). Nothing is released by it, so a read-only state root
 * fails here, with init still waiting (R24). False: somebody else has it.
 */
export function claimStart(directory: string): boolean {
  try {
    renamePath(`${directory}/${stateFiles.execFifo}`, `${directory}/${stateFiles.startedFifo}`);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return false;
    return fail('TSR_STATE_WRITE', `cannot claim the start in '${directory}'`, { errno });
  }
}
