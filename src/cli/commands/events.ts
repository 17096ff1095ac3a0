import { fail } from '../../errors/error.js';
import { watchContainer } from '../../operations/events.js';
import { stringifyExact } from '../../tables/exact-json.js';
import { type Context, print, stateRoot } from '../context.js';
import { parseDuration } from '../duration.js';

export function run(context: Context): number {
  const id = context.operands[0] ?? '';
  const intervalMs = parseDuration('interval', context.options.text('interval') ?? '5s');
  if (intervalMs <= 0) fail('TSR_CLI_VALUE', 'duration interval must be greater than 0');
  const line = (type: string, data?: unknown): void => print(`${stringifyExact({ type, id, data })}\n`);
  watchContainer({
    root: stateRoot(context).path,
    id,
    intervalMs,
    once: context.options.is('stats'),
    onStats: (stats) => line('stats', stats),
    onOom: () => line('oom'),
  });
  return 0;
}
