/** src/host/arguments.ts for the small engine: any bytes pass. */
import { door, makeRoom, scratch } from './door.js';
import { losslessText } from './text.js';

export function commandLine(): string[] {
  const words: string[] = [];
  for (let index = 1; ; index++) {
    const length = door.argument(index, scratch.at, scratch.bytes.length);
    if (length < 0) return words;
    if (length <= scratch.bytes.length) words.push(losslessText(scratch, length));
    else {
      const room = makeRoom(length);
      door.argument(index, room.at, length);
      words.push(losslessText(room, length));
    }
  }
}
