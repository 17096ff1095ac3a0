import { symlinkSync, writeFileSync } from 'node:fs';
import { type Add, type Case, expect, same, topic } from '../harness.js';

/** Path, and what stat says: type with numbers in hexadecimal. */
const defaults: ReadonlyArray<readonly [string, string]> = [
  ['/dev/null', '1:3'],
  ['/dev/zero', '1:5'],
  ['/dev/full', '1:7'],
  ['/dev/random', '1:8'],
  ['/dev/urandom', '1:9'],
  ['/dev/tty', '5:0'],
];

const stat = (path: string) => `stat -c '%F %t:%T %a %u:%g' ${path}`;
const open = { '/linux/resources/devices': [{ allow: true, access: 'rwm' }] };

function addListed(test: Add): void {
  const rows: ReadonlyArray<readonly [string, object, string]> = [
    [
      'character',
      { path: '/dev/one', type: 'c', major: 1, minor: 3, fileMode: 0o640, uid: 0, gid: 0 },
      'character special file 1:3 640 0:0',
    ],
    [
      'unbuffered',
      { path: '/dev/one', type: 'u', major: 1, minor: 5, fileMode: 0o600, uid: 0, gid: 0 },
      'character special file 1:5 600 0:0',
    ],
    [
      'block',
      { path: '/dev/one', type: 'b', major: 7, minor: 200, fileMode: 0o660, uid: 0, gid: 0 },
      'block special file 7:c8 660 0:0',
    ],
    ['fifo', { path: '/dev/one', type: 'p', fileMode: 0o622, uid: 0, gid: 0 }, 'fifo 0:0 622 0:0'],
    [
      'owner',
      { path: '/dev/one', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 5, gid: 6 },
      'character special file 1:3 666 5:6',
    ],
    [
      'mode-against-umask',
      { path: '/dev/one', type: 'c', major: 1, minor: 3, fileMode: 0o777, uid: 0, gid: 0 },
      'character special file 1:3 777 0:0',
    ],
    [
      'in-new-folder',
      { path: '/dev/a/b/one', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 },
      'character special file 1:3 666 0:0',
    ],
    [
      'elsewhere',
      { path: '/opt/one', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 },
      'character special file 1:3 666 0:0',
    ],
    [
      'large-minor',
      { path: '/dev/one', type: 'c', major: 1, minor: 300, fileMode: 0o666, uid: 0, gid: 0 },
      'character special file 1:12c 666 0:0',
    ],
  ];
  for (const [slug, device, wanted] of rows) {
    test(`listed-${slug}`, ['linux.devices.available'], async (box) => {
      same(
        await box.sh(stat((device as { path: string }).path), { '/linux/devices': [device], ...open }),
        wanted,
        'device',
      );
    });
  }
  const one = { path: '/tmp/one', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 };
  test('existing-file-differs', ['linux.devices.mismatch'], async (box) => {
    writeFileSync(`${box.rootfs}/tmp/one`, '');
    await box.refused({ '/linux/devices': [one], ...open });
  });
  test('existing-device-differs', ['linux.devices.mismatch'], async (box) => {
    await box.spawned('mknod', [`${box.rootfs}/tmp/one`, 'c', '1', '5']);
    await box.refused({ '/linux/devices': [one], ...open });
  });
  test('existing-device-is-the-one', ['linux.devices.available'], async (box) => {
    await box.spawned('mknod', [`${box.rootfs}/tmp/one`, 'c', '1', '3']);
    await box.sh('test -c /tmp/one', { '/linux/devices': [one], ...open });
  });
  for (const [slug, value] of [
    ['unknown-type', { path: '/dev/one', type: 'z', major: 1, minor: 3 }],
    ['no-path', { type: 'c', major: 1, minor: 3 }],
    ['no-type', { path: '/dev/one', major: 1, minor: 3 }],
    ['character-without-major', { path: '/dev/one', type: 'c', minor: 3 }],
    ['block-without-minor', { path: '/dev/one', type: 'b', major: 3 }],
    ['negative-major', { path: '/dev/one', type: 'c', major: -5, minor: 3 }],
    ['mode-string', { path: '/dev/one', type: 'c', major: 1, minor: 3, fileMode: '0666' }],
  ] as const) {
    test(`refused-${slug}`, ['config.valid-values'], (box) => box.refused({ '/linux/devices': [value] }));
  }
}

function addDefaults(test: Add): void {
  for (const [path, numbers] of defaults) {
    test(`default${path.replaceAll('/', '-')}`, ['linux.devices.default'], async (box) => {
      same(await box.sh(`stat -c '%F %t:%T %a' ${path}`), `character special file ${numbers} 666`, path);
    });
  }
  test('default-dev-ptmx', ['linux.devices.default'], async (box) => {
    same(await box.sh("readlink -f /dev/ptmx; stat -L -c '%t:%T' /dev/ptmx"), '/dev/pts/ptmx\n5:2', '/dev/ptmx');
  });
  test('null-swallows', ['linux.devices.default'], async (box) => {
    same(await box.sh('echo x >/dev/null && wc -c </dev/null'), '0', 'bytes');
  });
  test('full-is-full', ['linux.devices.default'], async (box) => {
    same(await box.sh('echo x 2>/dev/null >/dev/full || echo full'), 'full', 'write');
  });
  for (const [link, target] of [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
  ] as const) {
    test(`link-${link}`, ['runtime-linux.dev-links'], async (box) => {
      same(await box.sh(`readlink /dev/${link}`), target, `/dev/${link}`);
    });
  }
  test('dev-of-the-image-as-link', ['runtime.errors.clean'], async (box) => {
    // The image's /dev leads to a folder of the host: nothing may be made there.
    await box.spawned('rm', ['-r', `${box.rootfs}/dev`]);
    await box.spawned('mkdir', [box.path('victim')]);
    symlinkSync(box.path('victim'), `${box.rootfs}/dev`);
    const mounts = { '/mounts': [{ destination: '/proc', type: 'proc', source: 'proc' }] };
    await box.ranOrRefused(await box.run('echo began', mounts));
    same((await box.spawned('ls', [box.path('victim')])).stdout, '', 'made on the host');
  });
}

function addAllowed(test: Add): void {
  const caps = ['CAP_MKNOD', 'CAP_DAC_OVERRIDE', 'CAP_SYS_ADMIN', 'CAP_SYSLOG'];
  const able = { '/process/capabilities': { bounding: caps, effective: caps, permitted: caps } };
  const probe = (path: string) => `mknod ${path} c 1 11 && { (: <${path}) 2>/dev/null && echo open || echo refused; }`;
  const none = { allow: false, access: 'rwm' };
  const kmsg = { allow: true, type: 'c', major: 1, minor: 11, access: 'rwm' };
  const noRead = { allow: false, type: 'c', major: 1, minor: 11, access: 'r' };
  const rows: ReadonlyArray<readonly [string, object[], string]> = [
    ['all-denied', [none], 'refused'],
    ['denied-then-allowed', [none, kmsg], 'open'],
    ['allowed-then-denied', [none, kmsg, noRead], 'refused'],
    ['allowed-by-wildcard', [none, { allow: true, type: 'c', major: 1, access: 'rwm' }], 'open'],
    ['other-major-allowed', [none, { allow: true, type: 'c', major: 4, access: 'rwm' }], 'refused'],
    // What docker --device-cgroup-rule makes of it; no device has such a number, and both peers take it.
    ['impossible-major-allowed', [none, kmsg, { allow: true, type: 'c', major: 4242, access: 'rwm' }], 'open'],
    ['only-writing-allowed', [none, { ...kmsg, access: 'wm' }], 'refused'],
    ['all-allowed', [{ allow: true, access: 'rwm' }], 'open'],
  ];
  for (const [slug, list, wanted] of rows) {
    test(`allowed-list-${slug}`, ['linux.resources.devices-order'], async (box) => {
      same(await box.sh(probe('/tmp/kmsg'), { '/linux/resources/devices': list, ...able }), wanted, 'reading 1:11');
    });
  }
  test('allowed-list-keeps-null', ['linux.resources.devices-order', 'linux.devices.default'], async (box) => {
    same(
      await box.sh(`echo x >/dev/null && echo well; ${probe('/tmp/kmsg')}`, {
        '/linux/resources/devices': [none],
        ...able,
      }),
      'well\nrefused',
      'writing to /dev/null, reading 1:11',
    );
  });
  for (const [slug, value] of [
    ['type', { allow: true, type: 'z', access: 'rwm' }],
    ['access', { allow: true, type: 'c', major: 1, minor: 3, access: 'q' }],
    ['no-allow', { type: 'c', access: 'r' }],
  ] as const) {
    test(`allowed-list-bad-${slug}`, ['config.valid-values'], (box) =>
      box.refused({ '/linux/resources/devices': [value] }),
    );
  }
  test('null-of-the-host-is-unchanged', ['runtime.delete.others'], async (box) => {
    await box.sh('true', { '/process/user': { uid: 1000, gid: 1000 } });
    const out = (await box.spawned('stat', ['-c', '%u:%g %a', '/dev/null'])).stdout.trim();
    expect(out === '0:0 666', out);
  });
}

export function deviceCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('devices', cases);
  addDefaults(test);
  addListed(test);
  addAllowed(test);
  return cases;
}
