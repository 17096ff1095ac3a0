import { probeHost } from '../../host/probe.js';
import { type Context, print } from '../context.js';

export function run({ operands }: Context): number {
  print(`${JSON.stringify(probeHost({ idMapped: operands }))}\n`);
  return 0;
}
