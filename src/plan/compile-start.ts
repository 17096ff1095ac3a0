/** The plan of `start`, for a container that only has to be let go: without poststart hooks, and nobody to notify. */
import { type CgroupRecord, freezingPlace } from '../tables/cgroup.js';
import { stateFiles } from '../tables/state-files.js';
import { expects, type Step, slots, step } from './step.js';

/** That the cgroup runs: in words of the kernel, as `isFrozen` reads them. */
export function runsSteps(record: CgroupRecord): Step[] {
  const place = freezingPlace(record);
  if (place === undefined) return [];
  const [file, content] = place.version === 1 ? ['freezer.state', 'THAWED\n'] : ['cgroup.freeze', '0\n'];
  const path = `${place.mountPoint}/${place.path}/${file}`;
  // A cgroup that is gone, or could not be made in the first place, freezes nobody.
  const rest = { ...expects, tolerate: ['ENOENT', 'ENODEV'] };
  return [step('host', 'expect.file', { path, content }, '', 'the container is not paused', rest)];
}

/** Claims the start, lets init go and waits until the program runs; init's complaint goes to the engine. */
export function compileStart(cgroup: CgroupRecord): Step[] {
  const { execFifo, startedFifo, replyFifo } = stateFiles;
  const fifos = { slot: slots.state, fifoSlot: slots.execFifo, replySlot: slots.replyFifo };
  const claim = { ...fifos, fifo: execFifo, claimed: startedFifo, reply: replyFifo };
  return [
    ...runsSteps(cgroup),
    step('host', 'start.claim', claim, '', 'claim the start', expects),
    step('host', 'start.release', { ...fifos, names: [startedFifo, replyFifo] }, '', 'let the program run'),
  ];
}
