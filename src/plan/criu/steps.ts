/** The conversation with CRIU, as steps. CRIU is the process that the plan calls init, until it names the restored one. */
import { requestTypes } from '../../tables/criu.js';
import { noSlot, type Step, slots, step } from '../step.js';
import { goOn, openedPaths } from './request.js';
import type { CriuPlace } from './options.js';

/** Explanations of a failure look for it. */
export const summaries = {
  dump: 'CRIU: dump',
  preDump: 'CRIU: pre-dump',
  restore: 'CRIU: restore',
  start: 'start CRIU',
} as const;

/** What tsrun runs of its own in such a plan. */
export const helperSummaries = {
  check: 'check the restored mounts',
  remove: 'delete the checkpointed container',
} as const;

/** CRIU calls tar, ip and iptables; nothing else of an environment has a meaning to it that is not a danger. */
const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'];

/** In the new process: opens what the request names by number, and becomes CRIU. */
export function becomeCriuSteps(
  place: CriuPlace,
  joined: readonly { readonly path: string }[],
  stdio: boolean,
): Step[] {
  const paths = openedPaths(place, joined);
  const open = paths.map((path, index) =>
    step('init', 'file.open', { slot: slots.firstCriu + index, path }, '', `open ${path} for CRIU`),
  );
  const args = {
    firstSlot: slots.firstCriu,
    count: paths.length,
    withoutStdio: stdio ? 0 : 1,
    path: place.program,
    args: ['criu', 'swrk', '3'],
    env: environment,
  };
  return [
    ...open,
    step('init', 'process.umask', { mask: 0o022 }, '', 'modes of new files'),
    step('init', 'criu.exec', args, '', summaries.start),
  ];
}

/** Goes on until CRIU reports one of the events, or to the end. */
export function untilStep(events: readonly string[], summary: string, slot: number = noSlot): Step {
  const args = { slot, notification: requestTypes.notify, answer: goOn(), events };
  return step('host', 'criu.until', args, '', summary);
}
