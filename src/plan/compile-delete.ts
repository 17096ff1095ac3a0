/** The plan of `delete` for a container that has ended by itself, whose end needs nothing but removals. */
import { keptStateNames } from './state-names.js';
import { expects, type Step, slots, step } from './step.js';

/** What pids mean here (R41). */
export interface HereFacts {
  readonly bootId: string;
  readonly pidNamespaceInode: number;
}

/** That pids and cgroups are those of the boot and the pid namespace that they were in when they were written down. */
export function hereSteps({ bootId, pidNamespaceInode }: HereFacts): Step[] {
  const boot = { path: '/proc/sys/kernel/random/boot_id', content: `${bootId}\n` };
  const link = { path: '/proc/self/ns/pid', target: `pid:[${pidNamespaceInode}]` };
  return [
    step('host', 'expect.file', boot, '', 'it is still the same boot', expects),
    step('host', 'expect.link', link, '', 'pids mean what they meant', expects),
  ];
}

/** The index of the step that has to get the pid and the start time of init, once there is one. */
export const endedIndex = 2;

/** @param removeCgroups the steps that a foreground run ends with. */
export function compileDelete(here: HereFacts, stateDir: string, removeCgroups: readonly Step[]): Step[] {
  const process = { pid: 0, startTime: 0n };
  return [
    ...hereSteps(here),
    step('host', 'expect.ended', process, '', "the container's process has ended", expects),
    // What stays busy is for the engine, which looks for the reason; a cgroup that is gone already is fine for both.
    ...removeCgroups.map((one) => ({ ...one, ...expects })),
    step(
      'host',
      'state.remove',
      { slot: slots.state, path: stateDir, names: keptStateNames },
      '',
      'remove the state',
      expects,
    ),
  ];
}
