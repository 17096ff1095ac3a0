/** The terminal that somebody is looking at. */
import { WriteStream, isatty } from 'node:tty';

/** Its columns; undefined where the descriptor is no terminal. COLUMNS is for who knows better. */
export function terminalWidth(fd: number): number | undefined {
  if (!isatty(fd)) return undefined;
  const columns = Number(process.env.COLUMNS) || new WriteStream(fd).columns;
  return columns > 0 ? columns : 80;
}
