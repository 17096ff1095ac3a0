/** The rooms of the executor's sources: who includes whom, as the files say it. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** From the top down; each may use what is behind it. */
export const rooms = ['entry', 'walk', 'ops', 'kernel'] as const;
export type Room = (typeof rooms)[number];

const sourcesOfC = 'src/executor';

/** A room's C files, and the other folders of src that they and its header include from. */
export interface RoomContents {
  readonly room: Room;
  readonly files: readonly string[];
  /** `kernel`, `ops`, … for a room; the folder's name for anything else of ours. */
  readonly uses: readonly string[];
}

const isRoom = (name: string): name is Room => (rooms as readonly string[]).includes(name);

/** Paths of what a file includes of ours. */
function includes(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^#\s*include "([^"]+)"/gm)].map((match) => normalize(join(dirname(file), match[1] ?? '')));
}

/** `src/executor/ops/ops.h` is of `ops`, `src/generated/wire.h` of `generated`. */
const ownerOf = (path: string, base: string): string => {
  const from = path.startsWith(`${base}/`) ? base : dirname(base);
  return path.slice(from.length + 1).split('/')[0] ?? '';
};

const sources = (room: Room, base: string): string[] =>
  readdirSync(join(base, room))
    .filter((name) => /\.[ch]$/.test(name))
    .sort();

export const contentsOf = (room: Room, base = sourcesOfC): RoomContents => {
  const all = sources(room, base).flatMap((name) => includes(join(base, room, name)));
  const uses = [...new Set(all.map((path) => ownerOf(path, base)))].filter((name) => name !== room).sort();
  return { room, files: sources(room, base).filter((name) => name.endsWith('.c')), uses };
};

/** What a room may include besides its own header and the rooms below it. */
const others: { readonly [room in Room]: readonly string[] } = {
  entry: ['engine'],
  walk: ['generated'],
  ops: ['generated'],
  kernel: ['generated'],
};

/**
 * A function that is not in a header of the room or of one below has no prototype, and does not compile: so the includes are all there
 * is to look at.
 * @returns a line for each breach
 */
export function checkRooms(base = sourcesOfC): string[] {
  const stray = readdirSync(base).filter((name) => /\.[ch]$/.test(name));
  const headers = rooms.flatMap((room) =>
    sources(room, base)
      .filter((name) => name.endsWith('.h') && name !== `${room}.h`)
      .map((name) => `${base}/${room}/${name}: a room has one header`),
  );
  const upward = rooms.flatMap((room, at) =>
    contentsOf(room, base)
      .uses.filter((name) => (isRoom(name) ? rooms.indexOf(name) < at : !others[room].includes(name)))
      .map((name) => `${base}/${room}: may not include of ${name}`),
  );
  return [...stray.map((name) => `${base}/${name}: belongs in a room (${rooms.join(', ')})`), ...headers, ...upward];
}
