/** src/host/terminal.ts for the small engine. */
import { calls, door, scratch, scratchView } from './door.js';
import { environment } from './process.js';

const getWindowSize = 0x5413; // TIOCGWINSZ

export function terminalWidth(fd: number): number | undefined {
  if (door.call(calls.ioctl, fd, getWindowSize, scratch.at) < 0) return undefined;
  // struct winsize: rows, columns.
  const columns = Number(environment('COLUMNS')) || scratchView.getUint16(2, true);
  return columns > 0 ? columns : 80;
}
