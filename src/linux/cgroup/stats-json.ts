import type { CgroupStats } from './stats-types.js';

/** One line of compact JSON with 64-bit numbers as they are: v1 says "no limit" by 9223372036854771712, which no double holds. */
export function renderStats(stats: CgroupStats): string {
  const text = JSON.stringify(stats, (_, value: unknown) => (typeof value === 'bigint' ? `bigint:${value}` : value));
  return text.replace(/"bigint:(-?\d+)"/g, '$1');
}
