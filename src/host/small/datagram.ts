/** src/host/datagram.ts for the small engine. */
import { errnoName } from '../../tables/errnos.js';
import { calls, door, makeRoom, scratch } from './door.js';

const afUnix = 1;
// SOCK_DGRAM | SOCK_CLOEXEC
const closeOnExecDatagram = 0o2000002;
/** MSG_NOSIGNAL | MSG_DONTWAIT */
const loosely = 0x4040;
const addressSize = 110;

export function connectDatagrams(path: string): ((data: Uint8Array) => void) | string {
  const socket = door.call(calls.socket, afUnix, closeOnExecDatagram, 0);
  if (socket < 0) return errnoName(-socket);
  scratch.bytes.fill(0, 0, addressSize);
  scratch.bytes[0] = afUnix;
  if (door.put(path, scratch.at + 2, addressSize - 3, 1, path.length) < 0) return 'ENAMETOOLONG';
  const result = door.call(calls.connect, socket, scratch.at, addressSize);
  if (result < 0) return errnoName(-result);
  return (data) => {
    const room = data.length <= scratch.bytes.length ? scratch : makeRoom(data.length);
    room.bytes.set(data);
    door.call(calls.sendto, socket, room.at, data.length, loosely, 0, 0);
  };
}
