import { fail } from '../../errors/error.js';
import { monotonicMs } from '../../host/process.js';
import type { CgroupStats } from '../../linux/cgroup/stats-types.js';
import { watchContainer } from '../../operations/events.js';
import { type Context, print, stateRoot } from '../context.js';
import { parseDuration } from '../duration.js';
import { clipLines, terminalFor } from '../terminal.js';
import { renderStats } from '../stats-view.js';

export function run(context: Context): number {
  const interval = context.options.text('interval');
  const intervalMs = interval === undefined ? 0 : parseDuration('interval', interval);
  if (interval !== undefined && intervalMs <= 0) fail('TSR_CLI_VALUE', 'duration interval must be greater than 0');
  let drawn = 0;
  const watched = {
    root: stateRoot(context).path,
    id: context.operands[0] ?? '',
    onOom: () => {
      drawn = 0;
      print('out of memory\n\n');
    },
  };
  // On a terminal each round takes the place of the one before.
  const { width } = interval === undefined ? { width: undefined } : terminalFor();
  let before: CgroupStats | undefined;
  let then = 0;
  const onStats = (now: CgroupStats): void => {
    const time = monotonicMs();
    const text = renderStats(now, before, time - then);
    if (width === undefined) print(`${text}${interval === undefined ? '' : '\n'}`);
    else {
      print(`${drawn > 0 ? `\x1b[${drawn}A\x1b[J` : ''}${clipLines(text, width)}`);
      drawn = text.split('\n').length - 1;
    }
    before = now;
    then = time;
  };
  watchContainer({ ...watched, intervalMs, once: true, onStats });
  if (interval !== undefined) watchContainer({ ...watched, intervalMs, once: false, onStats });
  return 0;
}
