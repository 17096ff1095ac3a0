import { existsSync, readFileSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { constants } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { capabilityNames, capabilityNumber } from './capabilities.js';
import { errnoName, errnoNumber, errnoText } from './errnos.js';
import { MOUNT_ATTR, mountOptions } from './mount-options.js';
import { namespaces } from './namespaces.js';
import { rlimitNames, rlimitNumber } from './rlimits.js';
import { signalName, signalNames, signalNumber } from './signals.js';

/** The names a plain-object table would wrongly know (security.md S47). */
const prototypeNames = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];

test('signals agree with the host', () => {
  for (const [name, number] of Object.entries(constants.signals)) {
    if (name === 'SIGUNUSED') continue;
    assert.is(signalNumber(name), number, name);
  }
  for (const name of signalNames()) assert.is(signalName(signalNumber(name)!), `SIG${name}`);
});

test('signals are named in any case, with and without SIG, by number and by real-time offset', () => {
  for (const text of ['TERM', 'SIGTERM', 'sigterm', 'term', 'SigTerm', '15']) assert.is(signalNumber(text), 15, text);
  for (let number = 0; number <= 64; number++) assert.is(signalNumber(String(number)), number);
  assert.is(signalNumber('SIGRTMIN'), 34);
  assert.is(signalNumber('RTMIN+3'), 37);
  assert.is(signalNumber('sigrtmax-1'), 63);
  assert.is(signalNumber('RTMAX'), 64);
  for (let number = 1; number <= 64; number++) {
    if (number === 32 || number === 33) continue;
    assert.is(signalNumber(signalName(number)), number);
  }
});

test('refuses what is no signal', () => {
  const bad = [
    '',
    '-1',
    '65',
    '9abc',
    '0x9',
    '1e1',
    ' 9',
    '9 ',
    'SIG',
    'SIGSIGTERM',
    'RTMIN-1',
    'RTMAX+1',
    'RTMIN+31',
    '64.0',
    '999',
  ];
  for (const text of [...bad, ...prototypeNames]) assert.is(signalNumber(text), undefined, text);
});

test('capabilities are numbered as in linux/capability.h', () => {
  assert.is(capabilityNames.length, 41);
  assert.is(capabilityNumber('CAP_CHOWN'), 0);
  assert.is(capabilityNumber('CAP_SYS_ADMIN'), 21);
  assert.is(capabilityNumber('CAP_SETFCAP'), 31);
  assert.is(capabilityNumber('CAP_CHECKPOINT_RESTORE'), 40);
  for (const name of ['CAP_NOPE', 'SYS_ADMIN', 'cap_chown', ...prototypeNames])
    assert.is(capabilityNumber(name), undefined);
  assert.is(new Set(capabilityNames).size, capabilityNames.length);
});

test('rlimits are numbered as /proc/self/limits lists them', () => {
  assert.is(rlimitNames.length, readFileSync('/proc/self/limits', 'utf8').trim().split('\n').length - 1);
  assert.is(rlimitNumber('RLIMIT_NOFILE'), 7);
  assert.is(rlimitNumber('RLIMIT_RTTIME'), 15);
  for (const name of prototypeNames) assert.is(rlimitNumber(name), undefined);
});

test('namespaces have one flag each and a file under /proc', () => {
  const flags = [...namespaces.values()].map((row) => row.flag);
  assert.is(new Set(flags).size, 8);
  assert.is(
    flags.reduce((all, flag) => (all | flag) >>> 0, 0),
    0x7e020080,
  );
  for (const row of namespaces.values()) assert.ok(existsSync(`/proc/self/ns/${row.file}`), row.file);
});

test('errnos agree with the host in both directions', () => {
  for (const [name, number] of Object.entries(constants.errno)) {
    assert.is(errnoNumber(name), number, name);
  }
  for (let number = 1; number <= 133; number++) {
    const name = errnoName(number);
    if (name.startsWith('errno ')) continue;
    assert.is(errnoNumber(name), number);
    assert.ok(errnoText(name).length > 3, name);
    const known = getSystemErrorName(-number);
    if (!known.startsWith('Unknown')) assert.is(errnoNumber(known), number, name);
  }
  assert.is(errnoText('EPERM'), 'operation not permitted');
  assert.is(errnoName(4095), 'errno 4095');
  for (const name of prototypeNames) assert.is(errnoText(name), '');
});

test('mount options cover the lists of config.md and features.md', () => {
  const listed =
    'async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec ' +
    'noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime ' +
    'relatime remount rexec rnoatime rnodiratime rnodev rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro ' +
    'rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave ' +
    'strictatime suid symfollow sync tmpcopyup unbindable idmap ridmap acl noacl src-nofollow dest-nofollow copy-symlink';
  assert.equal([...mountOptions.keys()].sort(), listed.split(' ').sort());
  for (const name of prototypeNames) assert.is(mountOptions.get(name), undefined);
});

test('every attribute is undone by its opposite, and access times are one field', () => {
  const opposites = [
    'ro rw',
    'nosuid suid',
    'nodev dev',
    'noexec exec',
    'nodiratime diratime',
    'nosymfollow symfollow',
  ];
  for (const pair of opposites.flatMap((p) => [
    p,
    p
      .split(' ')
      .map((name) => `r${name}`)
      .join(' '),
  ])) {
    const [on, off] = pair.split(' ').map((name) => mountOptions.get(name));
    assert.ok(on?.kind === 'attribute' && off?.kind === 'attribute', pair);
    assert.is(on.clear, off.clear, pair);
    assert.is(on.set, on.clear, pair);
    assert.is(off.set, 0, pair);
    assert.is(on.recursive, off.recursive, pair);
  }
  for (const name of ['noatime', 'atime', 'relatime', 'norelatime', 'strictatime', 'nostrictatime']) {
    const row = mountOptions.get(name);
    assert.ok(row?.kind === 'attribute' && row.clear === MOUNT_ATTR.ATIME, name);
    assert.is(row.undoes !== undefined, name === 'atime' || name === 'norelatime' || name === 'nostrictatime', name);
  }
});

test.run();
