// --log journald:ID and syslog:ID through dist/tsrun, with loggers of its own in a private mount namespace. Needs root and python3.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const daemons = suite('log daemons');
const tsrun = resolve('dist/tsrun');
const hasPython = spawnSync('python3', ['--version'], { stdio: 'ignore' }).status === 0;
const test = unless(daemons, needsRoot ?? needsProgram ?? (hasPython ? undefined : 'needs python3'));
const folder = folderFor(daemons, 'log-daemon');

/** Prints the first two datagrams as Python writes bytes, and those that follow within half a second. */
const server = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('ready', flush=True)
s.settimeout(5)
while True:
    try: print(s.recv(65536), flush=True)
    except socket.timeout: break
    s.settimeout(0.5)
`;
import { folderFor, needsProgram, needsRoot, unless } from '../test-fixtures.js';

/** A /dev and a /run/systemd/journal without the host's loggers. */
const prepare = `set -e
mkdir -p "$1/dev" && mount -t tmpfs tmpfs "$1/dev"
for name in null zero random urandom; do touch "$1/dev/$name"; mount --bind "/dev/$name" "$1/dev/$name"; done
mount --rbind "$1/dev" /dev
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal
`;

/** What arrives at the socket while the command runs, and what the command says itself. */
function received(socket: string, ...args: string[]): { datagrams: string[]; errors: string } {
  const script = `${prepare}
rm -f "$1/said"; python3 -c "$2" "$3" >"$1/said" & until [ -s "$1/said" ]; do sleep 0.05; done
folder=$1; shift 3; "$@" || true; wait; cat "$folder/said"`;
  const whole = ['-m', 'sh', '-c', script, 'sh', folder, server, socket, tsrun, '--root', '/run/tsrun', ...args];
  const { stdout, stderr } = spawnSync('unshare', whole, { encoding: 'utf8', timeout: 30_000 });
  return { datagrams: stdout.trim().split('\n').slice(1), errors: stderr };
}

test('an error goes to the journal in its own protocol, and to standard error', () => {
  const { datagrams, errors } = received('/run/systemd/journal/socket', '--log', 'journald:web', 'kill', 'nope');
  const message = 'tsrun kill nope: container does not exist';
  const length = `\\x${message.length.toString(16).padStart(2, '0')}`.replace('\\x29', ')') + '\\x00'.repeat(7);
  assert.equal(datagrams, [`b'SYSLOG_IDENTIFIER=web\\nPRIORITY=3\\nMESSAGE\\n${length}${message}\\n'`]);
  assert.is(errors, `${message}\n`);
});

test('an error goes to syslog with date, identifier and pid', () => {
  const { datagrams, errors } = received('/dev/log', '--log=syslog:web', '--log-format', 'json', 'kill', 'nope');
  assert.is(datagrams.length, 1);
  assert.match(
    datagrams[0] ?? '',
    /^b'<27>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d web\[\d+\]: tsrun kill nope: container does not exist'$/,
  );
  assert.is(errors, 'tsrun kill nope: container does not exist\n');
});

test('a logger that is not there is an error before anything is done, as is a bad identifier', () => {
  const absent = received('/run/elsewhere', '--log', 'journald:web', 'list');
  const text = "tsrun: cannot log to journald at '/run/systemd/journal/socket': ENOENT (no such file or directory)\n";
  assert.equal(absent, { datagrams: [], errors: text });
  assert.match(received('/run/elsewhere', '--log', 'syslog:', 'list').errors, /'' is no identifier to log with/);
});

daemons.run();
