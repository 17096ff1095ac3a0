// SCMP_ACT_NOTIFY: what the runtime sends to listenerPath, and that the descriptor is the filter's own.
import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { readJsonSync } from 'fs-extra/esm';
import { type Add, type Box, expect, same, skip } from '../harness.js';

/** Answers as the specification wants a seccomp agent to: one connection after the other, each with a state and descriptors. */
const agent = `
import array, fcntl, json, os, select, socket, struct, sys, threading
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(sys.argv[1])
server.listen(5)
print(os.getpid(), flush=True)

def answer(fd):
    while True:
        select.select([fd], [], [])
        request = bytearray(80)
        try:
            fcntl.ioctl(fd, 0xC0502100, request)  # SECCOMP_IOCTL_NOTIF_RECV
            number = struct.unpack_from('Q', request)[0]
            fcntl.ioctl(fd, 0xC0182101, struct.pack('QqiI', number, 0, -28, 0))  # SECCOMP_IOCTL_NOTIF_SEND: ENOSPC
        except OSError:
            return

count = 0
while True:
    connection, _ = server.accept()
    text, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(64))
    fds = array.array('i')
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
    if fds:
        threading.Thread(target=answer, args=(fds[0],), daemon=True).start()
    connection.settimeout(5)
    rest = b''
    try:
        while True:
            more = connection.recv(65536)
            if not more:
                closed = True
                break
            rest += more
    except OSError:
        closed = False
    links = [os.readlink('/proc/self/fd/%d' % fd) for fd in fds]
    count += 1
    with open('%s.%d.new' % (sys.argv[1], count), 'w') as file:
        json.dump({'text': (text + rest).decode(), 'links': links, 'closed': closed}, file)
    os.rename('%s.%d.new' % (sys.argv[1], count), '%s.%d' % (sys.argv[1], count))
`;

interface Delivery {
  readonly text: string;
  readonly links: readonly string[];
  readonly closed: boolean;
}

interface ProcessState {
  readonly ociVersion: string;
  readonly fds: readonly string[];
  readonly pid: number;
  readonly metadata?: string;
  readonly state: Record<string, unknown>;
}

const socket = (box: Box) => box.path('agent');

async function listening(box: Box): Promise<Record<string, unknown>> {
  await box.python(agent, socket(box));
  return {
    '/process/noNewPrivileges': true,
    '/linux/seccomp': {
      defaultAction: 'SCMP_ACT_ALLOW',
      listenerPath: socket(box),
      listenerMetadata: 'for the agent',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }],
    },
  };
}

async function delivery(box: Box, number: number): Promise<Delivery> {
  const file = `${socket(box)}.${number}`;
  await box.until(`state ${number} at the agent`, () => existsSync(file));
  return readJsonSync(file) as Delivery;
}

export function addNotify(test: Add): void {
  test('notify-state', ['linux.seccomp.state-json'], async (box) => {
    await box.started('echo began; sleep 30', await listening(box));
    const { text, links } = await delivery(box, 1);
    const state = JSON.parse(text) as ProcessState;
    same([state.fds.length, state.fds.includes('seccompFd')], [links.length, true], 'names and descriptors');
    expect(links[state.fds.indexOf('seccompFd')]!.includes('seccomp notify'), `the descriptor is ${links.join()}`);
    same(state.metadata, 'for the agent', 'metadata');
    const own = await box.state();
    same([state.pid, state.state.pid], [own.pid, own.pid], 'pids');
    same([state.state.id, state.state.bundle], [box.id, box.bundle], 'id and bundle');
    expect(/^\d+\.\d+\.\d+/.test(state.ociVersion), `ociVersion '${state.ociVersion}'`);
  });
  test('notify-one-state-a-connection', ['linux.seccomp.listener-one'], async (box) => {
    await box.started('sleep 30', await listening(box));
    const { text, closed } = await delivery(box, 1);
    JSON.parse(text);
    expect(closed, 'the connection stays open');
  });
  test('notify-answers', ['linux.seccomp.rules', 'linux.seccomp.state-json'], async (box) => {
    const out = await box.sh('mkdir /tmp/x 2>&1 || true', await listening(box));
    expect(out.endsWith('No space left on device'), `the agent's answer did not arrive: ${out}`);
  });
  test('notify-exec', ['linux.seccomp.listener-one', 'linux.seccomp.state-json'], async (box) => {
    await box.started('sleep 30', await listening(box));
    const first = JSON.parse((await delivery(box, 1)).text) as ProcessState;
    const result = await box.error('exec', box.id, 'mkdir', '/tmp/x');
    expect(result.stderr.includes('No space left on device'), result.stderr.trim());
    const second = JSON.parse((await delivery(box, 2)).text) as ProcessState;
    expect(second.pid !== first.pid, "the pid is the container's, not that of the new process");
    same([second.state.pid, second.state.status], [first.pid, 'running'], 'pid and status of the container');
  });
  test('notify-wait-killable', ['linux.seccomp.listener-one', 'linux.seccomp.state-json'], async (box) => {
    const [major = 0, minor = 0] = release().split('.').map(Number);
    if (major < 5 || (major === 5 && minor < 19)) skip('before Linux 5.19');
    const flags = ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'];
    const out = await box.sh('mkdir /tmp/x 2>&1 || true', { ...(await listening(box)), '/linux/seccomp/flags': flags });
    expect(out.endsWith('No space left on device'), `the agent's answer did not arrive: ${out}`);
  });
}
