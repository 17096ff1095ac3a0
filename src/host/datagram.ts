/** Datagrams to a UNIX socket, which the engine cannot send: this loads koffi. */
import { errnoName } from '../tables/errnos.js';
import { lastErrno, openLibrary } from './ffi.js';

const afUnix = 1;
// SOCK_DGRAM | SOCK_CLOEXEC
const closeOnExecDatagram = 0o2000002;
/** MSG_NOSIGNAL | MSG_DONTWAIT: whoever is too busy to listen misses something, and nobody waits for it. */
const loosely = 0x4040;

/** Returns what sends a datagram there, or the errno's name when nobody listens. What gets lost later is lost. */
export function connectDatagrams(path: string): ((data: Uint8Array) => void) | string {
  const libc = openLibrary(null);
  const socket = libc.bind<number>('socket', 'int', ['int', 'int', 'int'])(afUnix, closeOnExecDatagram, 0);
  if (socket < 0) return errnoName(lastErrno());
  // struct sockaddr_un: family, then the path and a NUL. Little endian, as both of our architectures are.
  const address = new Uint8Array(110);
  address[0] = afUnix;
  address.set(new TextEncoder().encode(path), 2);
  const connect = libc.bind<number>('connect', 'int', ['int', 'void *', 'uint32_t']);
  if (connect(socket, address, address.length) < 0) return errnoName(lastErrno());
  const send = libc.bind<number>('send', 'long', ['int', 'void *', 'size_t', 'int']);
  return (data) => void send(socket, data, data.length, loosely);
}
