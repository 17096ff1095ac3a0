/**
 * What a container has made below its cgroup. It may be thousands deep, with names that make no path the kernel would take,
 * so each directory is looked at through its own descriptor, one at a time: down by name, up by `..`.
 */
import { closeFile, errnoOf, listSubdirectories, openDirectory, removeDirectory } from '../../host/files.js';

/** `open` gives the next directory; the one before is closed. Undefined when it has gone meanwhile. */
class Cursor {
  #fd: number;

  constructor(top: string) {
    this.#fd = openDirectory(top);
  }

  get path(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  move(name: string): boolean {
    try {
      const next = openDirectory(`${this.path}/${name}`);
      closeFile(this.#fd);
      this.#fd = next;
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return false;
      throw error;
    }
  }

  names(): string[] {
    try {
      return listSubdirectories(this.path);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return [];
      throw error;
    }
  }

  close(): void {
    closeFile(this.#fd);
  }
}

function withCursor(top: string, work: (cursor: Cursor) => void): void {
  let cursor: Cursor;
  try {
    cursor = new Cursor(top);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return;
    throw error;
  }
  try {
    work(cursor);
  } finally {
    cursor.close();
  }
}

/** Every directory below `top`, each by a path that is good until the next one, and by the names that lead to it. */
export function visitBelow(top: string, visit: (path: string, names: readonly string[]) => void): void {
  withCursor(top, (cursor) => {
    const left = [cursor.names()];
    const way: string[] = [];
    for (let names = left.at(-1); names !== undefined; names = left.at(-1)) {
      const name = names.pop();
      if (name === undefined) {
        left.pop();
        way.pop();
        if (left.length > 0 && !cursor.move('..')) return;
      } else if (cursor.move(name)) {
        way.push(name);
        visit(cursor.path, way);
        left.push(cursor.names());
      }
    }
  });
}

/** The first directory that cannot be removed just so, and whether others were. */
function firstBusy(cursor: Cursor): { readonly busy?: string; readonly removed: boolean } {
  let removed = false;
  for (const name of cursor.names()) {
    try {
      removeDirectory(`${cursor.path}/${name}`);
      removed = true;
    } catch (error) {
      if (errnoOf(error) === 'EBUSY' || errnoOf(error) === 'ENOTEMPTY') return { busy: name, removed };
    }
  }
  return { removed };
}

/** Removes what is below, deepest first, up to the first one that is busy although nothing is below it. */
export function removeBelow(top: string): void {
  withCursor(top, (cursor) => {
    for (let depth = 0; ; ) {
      const { busy, removed } = firstBusy(cursor);
      if (busy === undefined && (depth === 0 || !removed)) return;
      if (!cursor.move(busy ?? '..')) return;
      depth += busy === undefined ? -1 : 1;
    }
  });
}
