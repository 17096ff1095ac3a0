import { fail } from '../../errors/error.js';
import { cgroupControl } from '../../operations/cgroups.js';
import { killContainer } from '../../operations/kill.js';
import { SIGTERM, signalNumber } from '../../tables/signals.js';
import { type Context, stateRoot } from '../context.js';

export function run(context: Context): number {
  const [id = '', name] = context.operands;
  const signal = name === undefined ? SIGTERM : signalNumber(name);
  if (signal === undefined) {
    fail('TSR_KILL_SIGNAL', `unknown signal "${name}"`, {
      hint: 'give a name such as TERM or RTMIN+3, or a number up to 64',
    });
  }
  killContainer(stateRoot(context).path, id, { signal, all: context.options.is('all') }, cgroupControl);
  return 0;
}
