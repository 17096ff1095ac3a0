/** The formats cgroup files come in. Pure. */
import type { BlkioEntry, Count, MemoryEntry, Pressure, PressureLine } from './stats-types.js';

/** What v1 and runc print for "no limit" where v2 says `max`. */
const unlimited = 18_446_744_073_709_551_615n;

/** A decimal number, exact; 0 for anything else, as nothing here is worth failing for. */
export function parseCount(text: string | undefined): Count {
  const trimmed = text?.trim() ?? '';
  if (trimmed === 'max') return unlimited;
  if (!/^-?[0-9]+$/.test(trimmed)) return 0;
  const number = Number(trimmed);
  return Number.isSafeInteger(number) ? number : BigInt(trimmed);
}

export const add = (a: Count, b: Count): Count =>
  typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a + b) ? a + b : BigInt(a) + BigInt(b);

export const multiply = (a: Count, factor: number): Count =>
  typeof a === 'number' && Number.isSafeInteger(a * factor) ? a * factor : BigInt(a) * BigInt(factor);

/** Lines of `key value`. */
export function parseFlat(text: string | undefined): Map<string, Count> {
  const result = new Map<string, Count>();
  for (const line of (text ?? '').split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) result.set(line.slice(0, space), parseCount(line.slice(space + 1)));
  }
  return result;
}

/** `0-2,7` as numbers. */
export function parseList(text: string | undefined): number[] {
  const result: number[] = [];
  for (const range of (text ?? '').trim().split(',')) {
    const match = /^([0-9]+)(?:-([0-9]+))?$/.exec(range);
    if (!match) continue;
    const last = Number(match[2] ?? match[1]);
    for (let i = Number(match[1]); i <= last && result.length < 65_536; i++) result.push(i);
  }
  return result;
}

/** A `*.pressure` file: `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`. */
export function parsePressure(text: string | undefined): Pressure | undefined {
  if (text === undefined || text === '') return undefined;
  const pressure: Pressure = {};
  for (const line of text.split('\n')) {
    const [kind, ...fields] = line.split(' ');
    if (kind !== 'some' && kind !== 'full') continue;
    const values = new Map(fields.map((field) => field.split('=', 2) as [string, string]));
    const average = (name: string): number => Number(values.get(name) ?? 0);
    const parsed: PressureLine = {
      avg10: average('avg10'),
      avg60: average('avg60'),
      avg300: average('avg300'),
      total: parseCount(values.get('total')),
    };
    pressure[kind] = parsed;
  }
  return pressure;
}

/** An entry without its zeros. */
export function blkioEntry(major: number, minor: number, op: string, value: Count): BlkioEntry {
  return {
    ...(major ? { major } : {}),
    ...(minor ? { minor } : {}),
    ...(op ? { op } : {}),
    ...(value ? { value } : {}),
  };
}

/** A v1 blkio file: `8:0 Read 123`, `8:0 123`, and a total line that is left out; undefined without the file. */
export function parseBlkio(text: string | undefined): BlkioEntry[] | undefined {
  if (text === undefined) return undefined;
  const entries: BlkioEntry[] = [];
  for (const line of text.split('\n')) {
    const match = /^([0-9]+):([0-9]+) (?:([A-Za-z]+) )?([0-9]+)$/.exec(line);
    if (match) entries.push(blkioEntry(Number(match[1]), Number(match[2]), match[3] ?? '', parseCount(match[4])));
  }
  return entries;
}

/** Undefined when all is zero, as then runc prints nothing. */
export function memoryEntry(limit: Count, usage: Count, max: Count, failcnt: Count): MemoryEntry | undefined {
  if (!limit && !usage && !max && !failcnt) return undefined;
  return { limit, ...(usage ? { usage } : {}), ...(max ? { max } : {}), failcnt };
}

/** `hugepages-2048kB` as the kernel's cgroup files spell it: `2MB`. */
export function hugepageName(directory: string): string | undefined {
  const match = /^hugepages-([0-9]+)kB$/.exec(directory);
  if (!match) return undefined;
  const kilobytes = Number(match[1]);
  if (kilobytes >= 1 << 20) return `${kilobytes / (1 << 20)}GB`;
  return kilobytes >= 1 << 10 ? `${kilobytes / (1 << 10)}MB` : `${kilobytes}KB`;
}
