/** docs/executor.svg: the rooms of the executor, their files, and who includes whom, read from the sources. */
import { contentsOf, type Room, rooms } from '../executor-rooms.js';
import { type Line, Picture } from './svg.js';

const about: { readonly [room in Room]: string } = {
  entry: 'what the caller starts: the command line, the engine, the sealed copy, kept plans',
  walk: 'a plan: checked, walked by each process, handed over where the role changes',
  ops: 'the operations, a file a subject; none knows what comes before or behind it',
  kernel: 'system calls, processes, descriptors, mounts, paths inside a root; knows no plan',
};
const colour: { readonly [room in Room]: string } = {
  entry: '#c79246',
  walk: '#4c7fb8',
  ops: '#4f9a5d',
  kernel: '#7a6aa8',
};
const [left, width, perLine] = [50, 730, 8];

/** Names of the files without their ending, some on a line. */
function listing(files: readonly string[]): Line[] {
  const names = files.map((name) => name.replace(/\.c$/, ''));
  const lines: Line[] = [];
  for (let at = 0; at < names.length; at += perLine)
    lines.push({ text: names.slice(at, at + perLine).join(' · '), soft: true });
  return lines;
}

/** Beside the boxes, the further out the longer the way. */
function arrow(picture: Picture, from: number, to: number, lane: number): void {
  const x = left - 14 - 18 * lane;
  picture.arrow([
    [left, from],
    [x, from],
    [x, to],
    [left, to],
  ]);
}

export function executorRoomsPicture(): string {
  const contents = rooms.map((room) => contentsOf(room));
  const heights = contents.map(({ files }) => 62 + 18 * listing(files).length);
  const tops = heights.map((_, at) => 20 + heights.slice(0, at).reduce((sum, height) => sum + height + 26, 0));
  const bottom = (tops.at(-1) ?? 0) + (heights.at(-1) ?? 0);
  const picture = new Picture(
    800,
    bottom + 20,
    'The rooms of the executor',
    'Four rooms from the top down: entry, walk, ops, kernel. Each includes the header of a room below it, and none of one above.',
  );
  contents.forEach(({ room, files, uses }, at) => {
    const title = { text: `${room}/`, bold: true, size: 15 };
    const extra = uses.filter((name) => !(rooms as readonly string[]).includes(name));
    const more = extra.length > 0 ? [{ text: `and of src: ${extra.join(', ')}`, soft: true, size: 12 }] : [];
    const lines = [title, about[room], ...listing(files), ...more];
    picture.box({ x: left, y: tops[at] ?? 0, w: width, h: heights[at] ?? 0 }, lines, { stroke: colour[room] });
    for (const used of uses) {
      const to = (rooms as readonly string[]).indexOf(used);
      if (to > at) arrow(picture, (tops[at] ?? 0) + 30, (tops[to] ?? 0) + 14 + 8 * at, to - at - 1);
    }
  });
  return picture.toString();
}
