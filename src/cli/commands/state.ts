import { cgroupControl } from '../../operations/cgroups.js';
import { readState } from '../../operations/state.js';
import { type Context, print, stateRoot } from '../context.js';

export function run(context: Context): number {
  const state = readState(stateRoot(context).path, context.operands[0] ?? '', cgroupControl);
  print(`${JSON.stringify(state, null, 2)}\n`);
  return 0;
}
