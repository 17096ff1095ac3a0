import { checkRestored } from '../../operations/restore-check.js';
import type { Context } from '../context.js';

export function run({ operands }: Context): number {
  checkRestored(operands[0] ?? '', operands[1] ?? '');
  return 0;
}
