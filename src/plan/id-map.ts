/** Id maps as the kernel reads them. */
import type { IdMapping } from '../bundle/types.js';

export function mapText(mappings: readonly IdMapping[]): string {
  let text = '';
  for (const { containerID, hostID, size } of mappings) text += `${containerID} ${hostID} ${size}\n`;
  return text;
}

/** What the kernel lets an unprivileged process map by itself: its own id, once. */
export const isOwnId = (mappings: readonly IdMapping[], own: number): boolean =>
  mappings.length === 1 && mappings[0]?.hostID === own && mappings[0].size === 1;
