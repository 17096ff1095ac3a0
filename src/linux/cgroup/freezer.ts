/** Stopping and continuing all processes of a cgroup. Every wait is bounded, and a cgroup that is gone is no error (R19). */
import { fail } from '../../errors/error.js';
import { errnoOf, readTextIfExists, writeExisting } from '../../host/files.js';
import { monotonicMs, sleepMs } from '../../host/process.js';
import { type CgroupRecord, freezingPlace } from '../../tables/cgroup.js';
import { directoryOf, isDirectory, readKey } from './place.js';

const longestWaitMs = 10_000;
const longestLookMs = 1000;

/** Writes unless the cgroup has vanished. */
function write(file: string, value: string): boolean {
  try {
    writeExisting(file, value);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return false;
    throw error;
  }
}

/** Waits until `done`, a little longer each time. */
function waitFor(done: () => boolean, limitMs: number): boolean {
  const deadline = monotonicMs() + limitMs;
  for (let pauseMs = 1; !done(); pauseMs = Math.min(pauseMs * 2, 20)) {
    if (monotonicMs() >= deadline) return false;
    sleepMs(pauseMs);
  }
  return true;
}

const gone = undefined;

/** `THAWED`, `FREEZING`, `FROZEN`, or undefined when the cgroup is gone. */
const legacyState = (directory: string): string | undefined => readTextIfExists(`${directory}/freezer.state`)?.trim();

/**
 * v1 cannot freeze a cgroup for sure while processes appear in it: it stays FREEZING, and the write has to be
 * repeated; thawing it now and then helps (seen by runc up to kernel 5.4).
 */
function freezeLegacy(directory: string): boolean {
  const file = `${directory}/freezer.state`;
  let tries = 0;
  return waitFor(() => {
    if (++tries % 50 === 0) write(file, 'THAWED');
    if (!write(file, 'FROZEN')) return true;
    const state = legacyState(directory);
    return state === 'FROZEN' || state === gone;
  }, longestWaitMs);
}

const isFrozenNow = (directory: string): boolean => {
  const frozen = readKey(`${directory}/cgroup.events`, 'frozen');
  return frozen === '1' || !isDirectory(directory);
};

/** @throws TSR_CGROUP_FREEZE when a process does not stop in time; then everything runs again. */
export function freeze(record: CgroupRecord): void {
  const place = freezingPlace(record);
  if (place === undefined) fail('TSR_CGROUP_FREEZE', 'no cgroup hierarchy of this host can freeze');
  const directory = directoryOf(place);
  let frozen = false;
  try {
    if (place.version === 1) frozen = freezeLegacy(directory);
    else frozen = !write(`${directory}/cgroup.freeze`, '1') || waitFor(() => isFrozenNow(directory), longestWaitMs);
  } finally {
    // Half frozen is the worst state: it neither runs nor can be told from paused.
    if (!frozen) thaw(record);
  }
  if (!frozen) fail('TSR_CGROUP_FREEZE', `cgroup '${directory}' did not freeze in ${longestWaitMs / 1000} s`);
}

export function thaw(record: CgroupRecord): void {
  const place = freezingPlace(record);
  if (place === undefined) return;
  const directory = directoryOf(place);
  if (place.version === 1) write(`${directory}/freezer.state`, 'THAWED');
  else write(`${directory}/cgroup.freeze`, '0');
}

/** Whether this very cgroup was frozen, not one above it. A freeze under way counts once it has settled or taken long. */
export function isFrozen(record: CgroupRecord): boolean {
  const place = freezingPlace(record);
  if (place === undefined) return false;
  const directory = directoryOf(place);
  if (place.version === 2) {
    if (readTextIfExists(`${directory}/cgroup.freeze`)?.trim() !== '1') return false;
    waitFor(() => isFrozenNow(directory), longestLookMs);
    return readTextIfExists(`${directory}/cgroup.freeze`)?.trim() === '1';
  }
  let state = legacyState(directory);
  if (state === 'FREEZING') {
    waitFor(() => legacyState(directory) !== 'FREEZING', longestLookMs);
    state = legacyState(directory);
  }
  if (state === gone || state === 'THAWED') return false;
  return readTextIfExists(`${directory}/freezer.self_freezing`)?.trim() !== '0';
}
