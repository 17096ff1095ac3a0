// sd_notify from end to end: a manager, dist/tsrun, and a container that says when it is ready. Needs root and python3.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TestContainer } from '../executor/test-container.js';
import { executorPath } from '../host/executor.js';

const notify = suite('notify');
const test = unless(notify, needsRoot ?? (spawnSync('python3', ['--version']).error ? 'needs python3' : undefined));

/** Prints a line a message: its text, the sender's pid, and how many descriptors came with it, which it closes. */
const managerScript = `
import array, os, socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
while True:
  text, extra, _, _ = s.recvmsg(4096, 256)
  fds, pid = array.array('i'), 0
  for level, kind, data in extra:
    if kind == socket.SCM_RIGHTS: fds.frombytes(data)
    else: pid = struct.unpack('iii', data)[0]
  print(text.decode().strip(), pid, len(fds), flush=True)
  for fd in fds: os.close(fd)
`;
const payload = `python3 -c '
import os, socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for text in ("STATUS=almost", "X=1\\nREADY=1"):
  s.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
time.sleep(1)
raise SystemExit(5)
'`;
import { needsRoot, unless } from '../test-fixtures.js';

const until = async (what: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !what(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(what(), 'in time');
};

/** Runs tsrun as a service manager would; answers with its pid and status when it has ended. */
function call(socket: string, args: string[]): Promise<{ pid: number; status: number | null }> {
  const child = spawn(executorPath(), args, {
    env: { PATH: '/usr/bin:/bin', NOTIFY_SOCKET: socket },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve) => child.once('exit', (status) => resolve({ pid: child.pid ?? 0, status })));
}

async function withManager(
  script: string,
  body: (box: TestContainer, socket: string, heard: () => string[]) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-notify-'));
  const socket = join(folder, 'manager.sock');
  const box = new TestContainer();
  let text = '';
  const manager: ChildProcess = spawn('python3', ['-c', managerScript, socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  manager.stdout!.on('data', (part) => {
    text += part;
  });
  try {
    await until(() => existsSync(socket));
    box.prepare(script);
    await body(box, socket, () => text.split('\n').filter(Boolean));
  } finally {
    spawnSync(executorPath(), ['--root', `${box.folder}/state`, 'delete', '-f', box.id]);
    manager.kill('SIGKILL');
    rmSync(box.folder, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

const stateOf = (box: TestContainer): { pid: number; status: string } =>
  JSON.parse(
    spawnSync(executorPath(), ['--root', `${box.folder}/state`, 'state', box.id], { encoding: 'utf8' }).stdout,
  );

test('start waits until the container is ready, and tells it in its own name', () =>
  withManager(payload, async (box, socket, heard) => {
    const root = ['--root', `${box.folder}/state`];
    const created = await call(socket, [...root, 'create', '-b', box.folder, box.id]);
    assert.is(created.status, 0);
    const { pid, status } = await call(socket, [...root, 'start', box.id]);
    assert.is(status, 0);
    await until(() => heard().length === 3);
    assert.equal(heard(), [`READY=1 ${pid} 0`, `MAINPID=${stateOf(box).pid} ${pid} 0`, `BARRIER=1 ${pid} 1`]);
  }));

test('a foreground run passes the word on while it runs', () =>
  withManager(payload, async (box, socket, heard) => {
    const { pid, status } = await call(socket, ['--root', `${box.folder}/state`, 'run', '-b', box.folder, box.id]);
    assert.is(status, 5);
    await until(() => heard().length === 2);
    assert.is(heard()[0], `READY=1 ${pid} 0`);
    assert.not(existsSync(`${box.folder}/state/${box.id}`));
  }));

test('R32: a detached run gives up when the container ends without a word', () =>
  withManager('test "$NOTIFY_SOCKET" = /run/notify/notify.sock', async (box, socket, heard) => {
    const { status } = await call(socket, ['--root', `${box.folder}/state`, 'run', '-d', '-b', box.folder, box.id]);
    assert.is(status, 0);
    assert.equal(heard(), []);
    assert.is(stateOf(box).status, 'stopped');
  }));

notify.run();
