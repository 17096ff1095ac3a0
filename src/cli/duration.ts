import { fail } from '../errors/error.js';

const units: { readonly [unit: string]: number } = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a duration as Go writes it: `5s`, `1m30s`, `1.5h`; 0 needs no unit. */
export function parseDuration(name: string, text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  if (!/^(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) {
    fail('TSR_CLI_VALUE', `invalid value '${text}' for --${name}`, {
      hint: "write a duration such as '5s' or '500ms'",
    });
  }
  let total = 0;
  for (const [, number, unit] of body.matchAll(/([0-9.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(number) * (units[unit as string] ?? 0);
  }
  return sign * total;
}
