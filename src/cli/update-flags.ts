/** Limits as options of `update`. */
import type { Resources } from '../bundle/types.js';
import { fail } from '../errors/error.js';
import type { RdtSchemas } from '../operations/update-rdt.js';
import type { Values } from './parse.js';

const units: { readonly [unit: string]: number } = {
  '': 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

const invalid = (name: string, text: string, hint: string): never =>
  fail('TSR_CLI_VALUE', `invalid value for ${name}: '${text}'`, { hint });

/** Docker's way to write sizes: `64m`, `1.5GiB`, `512kb`; units are powers of 1024. */
export function parseSize(name: string, text: string): number {
  if (text === '-1') return -1;
  const [, digits, unit] = /^([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  if (digits === undefined) return invalid(name, text, 'write a number of bytes, or one with k, m, g or t, or -1');
  const bytes = Math.floor(Number(digits) * (units[(unit ?? '').toLowerCase()] ?? 1));
  return Number.isSafeInteger(bytes) ? bytes : invalid(name, text, 'it is too large');
}

function parseNumber(name: string, text: string): number {
  if (/^-?[0-9]{1,15}$/.test(text)) return Number(text);
  return invalid(name, text, 'write a decimal number');
}

/** The schemas that the options name; they are not part of the resources. */
export const rdtOfFlags = (options: Values): RdtSchemas => ({
  l3CacheSchema: options.text('l3-cache-schema'),
  memBwSchema: options.text('mem-bw-schema'),
});

/** The resources that the options name; empty values count as not given. */
export function resourcesOfFlags(options: Values): Resources {
  const take = <Key extends string, Value>(
    rows: readonly (readonly [Key, string])[],
    parse: (name: string, text: string) => Value,
  ): { [K in Key]?: Value } => {
    const found: { [K in Key]?: Value } = {};
    for (const [key, name] of rows) {
      const text = options.text(name);
      if (text !== undefined) found[key] = parse(name, text);
    }
    return found;
  };
  const number = <Key extends string>(...rows: (readonly [Key, string])[]) => take(rows, parseNumber);
  const memory = take(
    [
      ['limit', 'memory'],
      ['reservation', 'memory-reservation'],
      ['swap', 'memory-swap'],
      ['kernel', 'kernel-memory'],
      ['kernelTCP', 'kernel-memory-tcp'],
    ],
    parseSize,
  );
  const cpu = {
    ...number(['shares', 'cpu-share'], ['quota', 'cpu-quota'], ['burst', 'cpu-burst'], ['period', 'cpu-period']),
    ...number(['realtimeRuntime', 'cpu-rt-runtime'], ['realtimePeriod', 'cpu-rt-period'], ['idle', 'cpu-idle']),
    ...take(
      [
        ['cpus', 'cpuset-cpus'],
        ['mems', 'cpuset-mems'],
      ],
      (_, text) => text,
    ),
  };
  const { limit } = number(['limit', 'pids-limit']);
  const { weight } = number(['weight', 'blkio-weight']);
  return {
    ...(Object.keys(memory).length > 0 ? { memory } : {}),
    ...(Object.keys(cpu).length > 0 ? { cpu } : {}),
    ...(limit === undefined ? {} : { pids: { limit } }),
    ...(weight === undefined ? {} : { blockIO: { weight } }),
  };
}
