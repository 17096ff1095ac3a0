/**
 * Remembers execs, so that one which comes again is carried out without an engine (docs/decisions/0007). Runs while the
 * plan is being carried out, in time that nobody waits for.
 */
import { readLink, statIfExists } from '../host/files.js';
import { sha256 } from '../host/hash.js';
import { keepExec, type Words } from '../plan/keep-exec.js';
import { encodeKept, type Keeper, keptEach, keptFile, longestKept } from '../plan/kept.js';
import { readStateFile, writeKept } from '../state/store.js';
import { descriptorOf } from '../tables/descriptors.js';
import { hasRawBytes } from '../tables/lossless-text.js';
import { stateFiles } from '../tables/state-files.js';
import type { ExecRequest, PreparedExec } from './exec.js';
import { keeperOf } from './keeper.js';

/** An exec that was seen: the hash of its words and process file, and which of the kept plans is its. */
interface Seen {
  readonly key: string;
  /** Absent for one that came once. */
  readonly place: number | typeof tooLong | undefined;
}

/** The executor would not take its plan. */
const tooLong = '-';

/** Among how many execs a probe must come again; more than twice as many as can be kept. */
const mostSeen = 45;

const parseSeen = (text: string): Seen[] =>
  text
    .split('\n')
    .filter((line) => /^[0-9a-f]{64}( [0-9]+| -)?$/.test(line))
    .map((line) => ({ key: line.slice(0, 64), place: readPlace(line.slice(65)) }));

const readPlace = (text: string): Seen['place'] =>
  text === '' ? undefined : text === tooLong ? tooLong : Number(text);

const renderSeen = (list: readonly Seen[]): string =>
  list.map(({ key, place }) => (place === undefined ? `${key}\n` : `${key} ${place}\n`)).join('');

/** A place for a plan: one that is free, else somebody's. */
function choosePlace(list: readonly Seen[]): number {
  for (let place = 0; place < keptEach; place++) if (!list.some((one) => one.place === place)) return place;
  return Math.floor(Math.random() * keptEach);
}

/** With the newest last; the oldest that has no plan makes room. */
function withSeen(list: readonly Seen[], seen: Seen): Seen[] {
  const others = list.filter(
    ({ key, place }) => key !== seen.key && (typeof place !== 'number' || place !== seen.place),
  );
  if (others.length >= mostSeen) {
    const oldest = others.findIndex(({ place }) => typeof place !== 'number');
    others.splice(Math.max(oldest, 0), 1);
  }
  return [...others, seen];
}

/** Something that can be read again and is what it was called; not a descriptor of the caller's. */
const isFile = (path: string): boolean => descriptorOf(path) === undefined && statIfExists(path)?.kind === 'file';

/** What talks to others besides the process, or has something to say each time, is not kept. */
const isPlain = ({ switches, processFile }: ExecRequest, { warnings, trace }: PreparedExec): boolean =>
  switches.consoleSocket === undefined &&
  switches.pidfdSocket === undefined &&
  switches.preserveFds === 0 &&
  warnings.length === 0 &&
  // That ambient capabilities of the container's config cannot be raised was said when it was created.
  trace.plan.warnings.every(({ code }) => code === 'TSR_CAPABILITY_AMBIENT') &&
  (processFile === undefined || isFile(processFile)) &&
  !trace.plan.steps.some(({ op }) => op === 'console.open' || op === 'seccomp.send-listener');

/**
 * @param words the command line from `exec` on.
 * @param engine of the engine that would be asked again.
 */
export function rememberExec(
  request: ExecRequest,
  prepared: PreparedExec,
  words: Words,
  engine: Keeper['engine'] | undefined,
): void {
  const { trace } = prepared;
  const { container, processText } = trace;
  const keeper = keeperOf(trace.facts, engine);
  const plainWords = ![...words.options, ...words.operands].some(hasRawBytes);
  if (!keeper || !plainWords || !isPlain(request, prepared)) return;
  const key = sha256(JSON.stringify([keepable(words), processText]));
  const list = parseSeen(readStateFile(container.directory, stateFiles.seenExecs) ?? '');
  const before = list.find((one) => one.key === key);
  if (before?.place === tooLong) return;
  let place: Seen['place'] = before ? (before.place ?? choosePlace(list)) : undefined;
  if (place !== undefined) {
    const bytes = encode(request, trace, words, keeper);
    if (bytes.length > longestKept) place = tooLong;
    else writeKept(container.directory, keptFile('exec', place), bytes);
  }
  writeKept(container.directory, stateFiles.seenExecs, renderSeen(withSeen(list, { key, place })));
}

/** Without the names that are new each time. */
function keepable({ options, operands }: Words): string[] {
  const named = ['--process', '--pid-file'];
  return [...options.filter((_, i) => !named.includes(options[i - 1] ?? '')), ...operands];
}

function encode(request: ExecRequest, trace: PreparedExec['trace'], words: Words, keeper: Keeper): Uint8Array {
  const { container, processText } = trace;
  const utf8 = new TextEncoder();
  const facts = {
    stateFile: { path: `${container.directory}/${stateFiles.record}`, content: utf8.encode(container.text) },
    processFile:
      processText === undefined || request.processFile === undefined
        ? undefined
        : { path: request.processFile, content: utf8.encode(processText) },
    shared: trace.shared,
    cgroupFiles: trace.cgroupFiles,
    userNamespace: readLink('/proc/self/ns/user'),
    freezes: request.ignorePaused ? undefined : container.record.cgroup,
  };
  return encodeKept(keepExec(trace.plan, trace.options, container.record, facts, words), keeper).bytes;
}
