import { fail } from '../../errors/error.js';
import { monotonicMs } from '../../host/process.js';
import type { CgroupStats } from '../../linux/cgroup/stats-types.js';
import { watchContainer } from '../../operations/events.js';
import { type Context, print, stateRoot } from '../context.js';
import { parseDuration } from '../duration.js';
import { renderStats } from '../stats-view.js';

export function run(context: Context): number {
  const interval = context.options.text('interval');
  const intervalMs = interval === undefined ? 0 : parseDuration('interval', interval);
  if (interval !== undefined && intervalMs <= 0) fail('TSR_CLI_VALUE', 'duration interval must be greater than 0');
  const watched = {
    root: stateRoot(context).path,
    id: context.operands[0] ?? '',
    onOom: () => print('out of memory\n\n'),
  };
  let before: CgroupStats | undefined;
  let then = 0;
  const onStats = (now: CgroupStats): void => {
    const time = monotonicMs();
    print(`${renderStats(now, before, time - then)}${interval === undefined ? '' : '\n'}`);
    before = now;
    then = time;
  };
  watchContainer({ ...watched, intervalMs, once: true, onStats });
  if (interval !== undefined) watchContainer({ ...watched, intervalMs, once: false, onStats });
  return 0;
}
