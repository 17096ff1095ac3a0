/**
 * `start` where a service manager waits for word: a second executor listens to the container's socket, because no
 * JavaScript engine knows datagram sockets with a path. It speaks in the name of the command that was called.
 */
import { startAside } from '../host/aside.js';
import { lstatIfExists } from '../host/files.js';
import { encodePlan } from '../plan/encode.js';
import { step } from '../plan/step.js';
import type { Container } from '../state/store.js';
import { notifyDirectory, notifySocketFile } from '../tables/notify.js';
import type { ReadyListener } from './start.js';

/** Undefined for a container that was created without NOTIFY_SOCKET. @param sender the command the manager started. */
export async function listenForReady(
  { directory, record }: Container,
  manager: string,
  sender: number,
): Promise<ReadyListener | undefined> {
  const folder = `${directory}/${notifyDirectory}`;
  if (lstatIfExists(folder)?.kind !== 'directory') return undefined;
  const { pid, startTime } = record;
  const steps = [
    step('host', 'notify.listen', { directory: folder, manager }, '', 'listen for the container to be ready'),
    step(
      'host',
      'notify.forward',
      { pid, startTime: BigInt(startTime), sender },
      '',
      'wait until the container is ready',
    ),
  ];
  const isBound = (): boolean => lstatIfExists(`${folder}/${notifySocketFile}`)?.kind === 'socket';
  return startAside(encodePlan({ steps, preserveFds: 0 }), isBound);
}
