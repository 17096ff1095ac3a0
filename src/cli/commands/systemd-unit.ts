import { runUnitCommand } from '../../operations/systemd.js';
import type { Context } from '../context.js';

export function run({ operands }: Context): number {
  runUnitCommand(operands);
  return 0;
}
