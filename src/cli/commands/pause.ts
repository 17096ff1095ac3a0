import { cgroupControl } from '../../operations/cgroups.js';
import { pauseContainer } from '../../operations/pause.js';
import { type Context, stateRoot } from '../context.js';

export function run(context: Context): number {
  pauseContainer(stateRoot(context).path, context.operands[0] ?? '', cgroupControl);
  return 0;
}
