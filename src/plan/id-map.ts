/** Id maps as the kernel reads them. */
import type { IdMapping } from '../bundle/types.js';

export function mapText(mappings: readonly IdMapping[]): string {
  let text = '';
  for (const { containerID, hostID, size } of mappings) text += `${containerID} ${hostID} ${size}\n`;
  return text;
}

/** What an id of the container is on the host; one that nobody has mapped stays root's. */
export function hostIdOf(mappings: readonly IdMapping[], id: number): number {
  for (const { containerID, hostID, size } of mappings) {
    if (id >= containerID && id < containerID + size) return hostID + id - containerID;
  }
  return 0;
}

/** What the kernel lets an unprivileged process map by itself: its own id, once. */
export const isOwnId = (mappings: readonly IdMapping[], own: number): boolean =>
  mappings.length === 1 && mappings[0]?.hostID === own && mappings[0].size === 1;
