// A seccomp agent gets the listener, whatever the filter traps. The real kernel, through dist/tsrun. Needs root.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Process, Seccomp } from '../bundle/types.js';
import { executorPath } from '../host/executor.js';
import { containerSuite, type TestContainer } from './test-container.js';

/** Accepts once, prints what came, then lets every call go on, but for mkdir, which it only pretends to carry out. */
const agent = `
  import koffi from 'koffi';
  import { writeSync } from 'node:fs';
  const c = koffi.load('libc.so.6');
  const socket = c.func('int socket(int, int, int)'), bind = c.func('int bind(int, const void *, uint32_t)');
  const listen = c.func('int listen(int, int)'), accept = c.func('int accept(int, void *, void *)');
  const recvmsg = c.func('int64_t recvmsg(int, void *, int)'), ioctl = c.func('int ioctl(int, unsigned long, void *)');
  const [path, mkdir] = process.argv.slice(-2);
  const address = Buffer.alloc(110);
  address.writeUInt16LE(1);
  address.write(path, 2);
  const s = socket(1, 1, 0);
  if (bind(s, address, address.length) < 0 || listen(s, 1) < 0) throw new Error('cannot listen');
  const client = accept(s, null, null);
  const body = Buffer.alloc(65536), iov = Buffer.alloc(16), control = Buffer.alloc(64), message = Buffer.alloc(56);
  iov.writeBigUInt64LE(koffi.address(body));
  iov.writeBigUInt64LE(BigInt(body.length), 8);
  message.writeBigUInt64LE(koffi.address(iov), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(koffi.address(control), 32);
  message.writeBigUInt64LE(BigInt(control.length), 40);
  const got = recvmsg(client, message, 0);
  const fd = control.readInt32LE(16);
  writeSync(1, JSON.stringify({ control: control.readUInt32LE(0), message: JSON.parse(body.toString('utf8', 0, got)) }) + '\\n');
  writeSync(1, 'after: ' + recvmsg(client, message, 0) + '\\n');
  for (;;) {
    const request = Buffer.alloc(80), answer = Buffer.alloc(24);
    if (ioctl(fd, 0xc0502100, request) < 0) continue;
    request.copy(answer, 0, 0, 8);
    const call = request.readInt32LE(16);
    writeSync(1, 'call ' + call + '\\n');
    if (call !== Number(mkdir)) answer.writeUInt32LE(1, 20);
    ioctl(fd, 0xc0182101, answer);
  }
`;
const mkdirNumber = process.arch === 'arm64' ? 34 : 83;

class Agent {
  readonly path: string;
  readonly #out: string;
  readonly #child: ChildProcess;

  constructor(folder: string) {
    this.path = join(folder, 'agent.sock');
    this.#out = join(folder, 'agent.out');
    const shell = 'exec "$0" --input-type=module -e "$1" -- "$2" "$3" >"$4" 2>&1';
    this.#child = spawn('sh', ['-c', shell, process.execPath, agent, this.path, `${mkdirNumber}`, this.#out], {
      stdio: 'ignore',
    });
    const deadline = performance.now() + 5000;
    while (!existsSync(this.path) && performance.now() < deadline) spawnSync('sleep', ['0.02']);
  }
  lines(): string[] {
    return readFileSync(this.#out, 'utf8').trim().split('\n');
  }
  close(): void {
    this.#child.kill('SIGKILL');
  }
}

const { tests, test: withContainer } = containerSuite('seccomp agent');
const test = (name: string, body: (container: TestContainer, agent: Agent) => void): void =>
  withContainer(name, (container) => {
    const agent = new Agent(container.folder);
    try {
      body(container, agent);
    } finally {
      agent.close();
    }
  });

/** Also what the runtime itself calls before the program runs. */
const hostile = ['mkdir', 'mkdirat', 'sendmsg', 'recvmsg', 'capset', 'prctl', 'close', 'read', 'execve'];
const profile = (listenerPath: string, names = hostile): Seccomp =>
  ({
    defaultAction: 'SCMP_ACT_ALLOW',
    listenerPath,
    listenerMetadata: 'some "metadata"',
    syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }],
  }) as Seccomp;
const withPrivileges = (noNewPrivileges: boolean): Partial<Process> => ({ noNewPrivileges });
const script =
  'mkdir /made; test -d /made || echo pretended; grep -E "^(NoNewPrivs|CapEff)" /proc/self/status; echo done';

for (const noNewPrivileges of [false, true]) {
  const title = noNewPrivileges ? 'with' : 'without';
  test(`S28, S50: a filter that traps the runtime's own calls does not stop it, ${title} no_new_privs`, (container, agent) => {
    const linux = { seccomp: profile(agent.path) };
    const ran = container.run(script, { linux, process: withPrivileges(noNewPrivileges) });
    const rest = `NoNewPrivs:\t${noNewPrivileges ? 1 : 0}`;
    assert.equal([ran.status, ran.errors], [0, '']);
    assert.equal(ran.output.split('\n').sort(), ['CapEff:\t0000000000000000', rest, 'done', 'pretended'].sort());
    const [first, after, ...calls] = agent.lines();
    assert.is(after, 'after: 0', 'one message, then the end');
    assert.ok(calls.includes(`call ${mkdirNumber}`));
    const { control, message } = JSON.parse(first!);
    assert.is(control, 20, 'one descriptor');
    const { pid, state, ...others } = message;
    assert.equal(others, { ociVersion: '1.3.0', fds: ['seccompFd'], metadata: 'some "metadata"' });
    assert.ok(pid > 1);
    assert.equal([state.id, state.pid, state.status, state.bundle], [container.id, pid, 'creating', container.folder]);
  });

  test(`a created container waits for start behind its filter, ${title} no_new_privs`, (container, agent) => {
    const linux = { seccomp: profile(agent.path) };
    const created = container.create(script, { linux, process: withPrivileges(noNewPrivileges) });
    assert.equal(created, { status: 0, output: '', errors: '' });
    const { pid } = JSON.parse(container.tsrun(['state', container.id]).output);
    assert.is(JSON.parse(agent.lines()[0]!).message.pid, pid);
    assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Seccomp:\t2$/m);
    assert.equal(container.tsrun(['start', container.id]), { status: 0, output: '', errors: '' });
    const log = join(container.folder, 'log');
    const deadline = performance.now() + 10_000;
    while (!readFileSync(log, 'utf8').includes('done') && performance.now() < deadline) spawnSync('sleep', ['0.02']);
    assert.match(readFileSync(log, 'utf8'), /pretended/);
  });
}

const user = 1234;
const asUser = ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', 'env', '-u', 'XDG_RUNTIME_DIR'];

test('S22: without root the agent is told as well, where nobody else is in the namespaces', (container, agent) => {
  // A checkout below somebody's closed home, or a host without user namespaces for users, has nothing to try.
  const probe = [...asUser, 'unshare', '--user', '--map-root-user', 'test', '-x', executorPath()];
  if (spawnSync(probe[0]!, probe.slice(1)).status !== 0) return;
  chmodSync(agent.path, 0o777);
  chownSync(container.folder, user, user);
  const mappings = [{ containerID: 0, hostID: user, size: 1 }];
  const types = ['user', 'mount', 'pid', 'uts', 'ipc'] as const;
  const namespaces = types.map((type) => ({ type }));
  const linux = { namespaces, uidMappings: mappings, gidMappings: mappings, seccomp: profile(agent.path) };
  const ran = container.run('mkdir /made; test -d /made || echo pretended', { linux }, asUser);
  assert.equal(ran, { status: 0, output: 'pretended', errors: '' });
  assert.is(JSON.parse(agent.lines()[0]!).message.state.id, container.id);
});

test('the payload does not get the listener', (container, agent) => {
  const { output } = container.run('ls /proc/self/fd', { linux: { seccomp: profile(agent.path, ['mkdir']) } });
  assert.is(output, '0\n1\n2\n3');
});

test('exec tells the agent, too, of its own process', (container, agent) => {
  const created = container.create('sleep 20', { linux: { seccomp: profile(agent.path, ['mkdir', 'mkdirat']) } });
  assert.equal([created.status, created.errors], [0, '']);
  container.tsrun(['start', container.id]);
  agent.close();
  rmSync(agent.path);
  const second = new Agent(container.folder);
  try {
    const ran = container.tsrun([
      'exec',
      container.id,
      '/bin/sh',
      '-c',
      'mkdir /made; test -d /made || echo pretended',
    ]);
    assert.equal(ran, { status: 0, output: 'pretended', errors: '' });
    const { message } = JSON.parse(second.lines()[0]!);
    const { pid } = JSON.parse(container.tsrun(['state', container.id]).output);
    assert.equal([message.state.pid, message.state.status, message.state.id], [pid, 'running', container.id]);
    assert.ok(message.pid > 1 && message.pid !== pid);
  } finally {
    second.close();
  }
});

test('nobody at the path is an error', (container) => {
  const linux = { seccomp: profile('/nowhere/agent.sock') };
  const { status, errors } = container.run('true', { linux });
  assert.is(status, 1);
  assert.match(
    errors,
    /\/linux\/seccomp\/listenerPath\): connect to the seccomp agent socket \/nowhere\/agent\.sock: ENOENT/,
  );
});

tests.run();
