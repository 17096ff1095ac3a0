/** For tests: state roots, records, and real processes that wait in real FIFOs as a container's init does. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleepMs } from '../host/process.js';
import { stateFiles } from '../tables/state-files.js';
import { encodeProvisional, encodeRecord, type RecordDraft } from './record.js';
import { hasReader } from '../host/files.js';
import { hostIdentity, startTimeOf } from './status.js';

const started: ChildProcess[] = [];
const roots: string[] = [];

export function makeRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'tsrun-state-'));
  roots.push(root);
  return root;
}

/** Ends what the tests have started and removes what they have made. */
export function cleanUp(): void {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
}

export function draftOf(id: string, change: Partial<RecordDraft> = {}): RecordDraft {
  return {
    id,
    ...hostIdentity(),
    ociVersion: '1.2.0',
    bundle: '/bundles/web',
    rootfs: '/bundles/web/rootfs',
    created: '2026-11-22T00:42:08.123Z',
    annotations: {},
    owner: 0,
    cgroup: { driver: 'disabled', places: [] },
    namespaces: [{ type: 'pid' }, { type: 'mount' }],
    hooks: {},
    terminal: false,
    confinement: { rlimits: [], noNewPrivileges: true, additionalGids: [], seccomp: false },
    stdio: ['/dev/null', '/dev/null', '/dev/null'],
    rootless: false,
    ...change,
  };
}

export interface ProcessOfTest {
  readonly pid: number;
  readonly startTime: number;
  readonly child: ChildProcess;
}

export function startProcess(command: string, args: readonly string[], cwd = '/'): ProcessOfTest {
  const child = spawn(command, args, { stdio: 'ignore', cwd, detached: true });
  started.push(child);
  const pid = child.pid ?? 0;
  return { pid, startTime: startTimeOf(pid) ?? -1, child };
}

/** A published record of this process; init is anything. */
export function publish(
  root: string,
  draft: RecordDraft,
  init: { pid: number; startTime: number },
  status?: 'creating' | 'ready',
): string {
  const directory = `${root}/${draft.id}`;
  mkdirSync(directory, { mode: 0o700, recursive: true });
  writeFileSync(`${directory}/${stateFiles.provisional}`, encodeProvisional(draft), { mode: 0o600 });
  const { before, between, after } = encodeRecord(draft, status);
  writeFileSync(`${directory}/${stateFiles.record}`, `${before}${init.pid}${between}${init.startTime}${after}`, {
    mode: 0o600,
  });
  return directory;
}

/**
 * A created container: a shell that holds the FIFOs as init does, waits for a byte and then runs `payload`
 * with the FIFOs closed. `complaint` instead: it writes that into the reply FIFO and ends.
 */
export function createContainer(
  root: string,
  draft: RecordDraft,
  payload = 'exec sleep 60',
  complaint?: Uint8Array,
): ProcessOfTest {
  const directory = `${root}/${draft.id}`;
  mkdirSync(directory, { mode: 0o700 });
  execFileSync('mkfifo', ['-m', '600', stateFiles.execFifo, stateFiles.replyFifo], { cwd: directory });
  if (complaint) writeFileSync(`${directory}/complaint`, complaint);
  const act = complaint ? 'cat complaint >&4; rm complaint; exit 1' : `exec 3<&- 4>&-; ${payload}`;
  const script = `exec 3<>${stateFiles.execFifo} 4<>${stateFiles.replyFifo}; read -rn1 -u3; ${act}`;
  // bash reads by itself: a helper process would outlive an init that a test kills
  const init = startProcess('bash', ['-c', script], directory);
  while (!hasReader(`${directory}/${stateFiles.execFifo}`)) sleepMs(1);
  publish(root, draft, init);
  return init;
}

/** Polls until something is true; a test that waits longer is broken. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited too long: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
