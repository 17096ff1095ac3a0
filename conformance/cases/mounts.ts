import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { bind, type Changes, namespaces, tmpfs } from '../config.js';
import { type Add, type Box, type Case, expect, same, skip, topic } from '../harness.js';
import { mountOn } from './mount-info.js';

const at = (...mounts: unknown[]): Changes =>
  Object.fromEntries(mounts.map((mount, index) => [`/mounts/${index + 3}`, mount]));
const info = 'cat /proc/self/mountinfo';

function addPlaces(test: Add): void {
  test('listed-order', ['config.mounts.order'], async (box) => {
    const out = await box.sh('stat -c %a /mnt /mnt/in', at(tmpfs('/mnt', 'mode=711'), tmpfs('/mnt/in', 'mode=701')));
    same(out, '711\n701', 'modes');
  });
  test('later-mount-covers', ['config.mounts.order'], async (box) => {
    const out = await box.sh(`ls /mnt; echo end; ${info}`, at(tmpfs('/mnt/in'), tmpfs('/mnt')));
    expect(out.startsWith('end\n'), `content of /mnt: ${out.split('\n')[0]}`);
    same(mountOn(out, '/mnt').type, 'tmpfs', 'type of /mnt');
  });
  test('relative-destination', ['config.mounts.destination-relative'], async (box) => {
    same(mountOn(await box.sh(info, at(tmpfs('mnt'))), '/mnt').type, 'tmpfs', 'type');
  });
  test('destination-is-made', ['runtime.lifecycle.environment'], async (box) => {
    same(mountOn(await box.sh(info, at(tmpfs('/a/b/c'))), '/a/b/c').type, 'tmpfs', 'type');
  });
  test('destination-through-links-stays-inside', ['runtime.lifecycle.environment'], async (box) => {
    symlinkSync('/mnt', `${box.rootfs}/absolute`);
    symlinkSync('../../../../mnt', `${box.rootfs}/relative`);
    const out = await box.sh(info, at(tmpfs('/absolute/x'), tmpfs('/relative/y')));
    mountOn(out, '/mnt/x');
    mountOn(out, '/mnt/y');
  });
  test('destination-through-dangling-links-is-made-inside', ['runtime.lifecycle.environment'], async (box) => {
    writeFileSync(box.path('file'), 'text');
    symlinkSync('/run-of-the-image/resolve/conf', `${box.rootfs}/etc/conf`);
    symlinkSync('../../../../not-there', `${box.rootfs}/folder`);
    const mounts = at(bind(box.path('file'), '/etc/conf'), tmpfs('/folder/new'));
    const out = await box.sh(`cat /run-of-the-image/resolve/conf; echo; readlink /etc/conf; ${info}`, mounts);
    expect(out.startsWith('text\n/run-of-the-image/resolve/conf'), 'the file is not where the link leads');
    mountOn(out, '/not-there/new');
  });
  test('destination-in-a-loop-is-refused', ['runtime.lifecycle.environment'], async (box) => {
    symlinkSync('two', `${box.rootfs}/one`);
    symlinkSync('one', `${box.rootfs}/two`);
    expect((await box.run('true', at(tmpfs('/one/x')))).code !== 0, 'mounted on a loop of links');
  });
  test('destination-with-dots-stays-inside', ['runtime.lifecycle.environment'], async (box) => {
    mountOn(await box.sh(info, at(tmpfs('/../../mnt'))), '/mnt');
  });
  test('host-is-unchanged', ['runtime.delete.resources'], async (box) => {
    const before = readFileSync('/proc/self/mountinfo', 'utf8');
    mountOn(await box.sh(info, at(tmpfs('/mnt'))), '/mnt');
    // The other cases of a parallel run mount, too.
    const own = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(box.dir) && !before.includes(line));
    same(own, [], 'new mounts');
  });
}

function addBinds(test: Add): void {
  test('bind-folder', ['config.mounts.option.bind'], async (box) => {
    mkdirSync(box.path('source'));
    writeFileSync(box.path('source/file'), 'inside');
    same(await box.sh('cat /mnt/file', at(bind(box.path('source'), '/mnt'))), 'inside', 'content');
  });
  test('bind-file', ['config.mounts.option.bind'], async (box) => {
    writeFileSync(box.path('file'), 'text');
    same(await box.sh('cat /etc/some', at(bind(box.path('file'), '/etc/some'))), 'text', 'content');
  });
  test('bind-relative-to-bundle', ['config.mounts.option.bind'], async (box) => {
    mkdirSync(`${box.bundle}/volume`);
    writeFileSync(`${box.bundle}/volume/file`, 'here');
    same(await box.sh('cat /mnt/file', at(bind('volume', '/mnt'))), 'here', 'content');
  });
  test('bind-writes-reach-the-source', ['config.mounts.option.bind'], async (box) => {
    mkdirSync(box.path('source'));
    await box.sh('echo out >/mnt/file', at(bind(box.path('source'), '/mnt')));
    same(box.read(box.path('source/file')), 'out', 'content');
  });
  test('bind-ro-refuses-writes', ['config.mounts.option.ro'], async (box) => {
    mkdirSync(box.path('source'));
    same(
      await box.sh('touch /mnt/file 2>/dev/null || echo refused', at(bind(box.path('source'), '/mnt', 'ro'))),
      'refused',
      'touch',
    );
  });
  // podman writes it on the tmpfs of a container with systemd.
  test('empty-option', [], async (box) => {
    mkdirSync(box.path('source'));
    const out = await box.sh(info, at(tmpfs('/tmp', ''), bind(box.path('source'), '/mnt', '')));
    for (const place of ['/tmp', '/mnt']) mountOn(out, place);
  });
  // The text says nothing of options that a bind mount has no use for; that one of them is lost must be seen.
  for (const [slug, option] of [
    ['filesystem-option', 'size=1024k'],
    ['misspelt-option', 'nosiud'],
  ] as const) {
    test(`bind-with-${slug}`, [], async (box) => {
      mkdirSync(box.path('source'));
      writeFileSync(box.path('source/file'), 'inside');
      const result = await box.run('echo began; cat /mnt/file', at(bind(box.path('source'), '/mnt', option)));
      const out = await box.ranOrRefused(result);
      if (result.code === 0) expect(out.includes('inside'), 'nothing is mounted');
      expect(result.stderr.trim() !== '', `not a word about '${option}'`);
    });
  }
  test('rbind-brings-nested', ['config.mounts.option.rbind'], async (box) => {
    box.mountHost(['-t', 'tmpfs', 'tmpfs'], box.path('source/nested'));
    mountOn(await box.sh(info, at(bind(box.path('source'), '/mnt', 'rbind'))), '/mnt/nested');
  });
  test('bind-of-missing-source', ['runtime.create.cannot-apply', 'runtime.errors.clean'], async (box) => {
    await box.refused(at(bind(box.path('missing'), '/mnt')));
  });
  test('noexec-refuses-programs', ['config.mounts.option.noexec'], async (box) => {
    same(
      await box.sh(
        'cp() { cat $1 >$2; chmod 755 $2; }; cp /bin/busybox /mnt/true; /mnt/true 2>/dev/null || echo refused',
        at(tmpfs('/mnt', 'noexec')),
      ),
      'refused',
      'exec',
    );
  });
  test('nodev-refuses-devices', ['config.mounts.option.nodev'], async (box) => {
    const caps = ['CAP_MKNOD', 'CAP_DAC_OVERRIDE'];
    const changes = {
      ...at(tmpfs('/mnt', 'nodev')),
      '/process/capabilities': { bounding: caps, effective: caps, permitted: caps },
    };
    same(
      await box.sh('mknod /mnt/null c 1 3 && { echo x 2>/dev/null >/mnt/null || echo refused; }', changes),
      'refused',
      'open',
    );
  });
}

function addFilesystems(test: Add): void {
  for (const [option, name, value] of [
    ['size=1024k', 'size', '1024k'],
    ['nr_inodes=77', 'nr_inodes', '77'],
    ['mode=1770', 'mode', '1770'],
    ['uid=5', 'uid', '5'],
    ['gid=6', 'gid', '6'],
  ] as const) {
    test(`filesystem-option-${name}`, ['config.mounts.unknown-option'], async (box) => {
      const found = mountOn(await box.sh(info, at(tmpfs('/mnt', option))), '/mnt');
      expect(
        found.superOptions.has(`${name}=${value}`),
        `no ${name}=${value} among ${[...found.superOptions].join(',')}`,
      );
    });
  }
  test(
    'bogus-filesystem-option',
    ['runtime.create.cannot-apply', 'config.valid-values', 'config.mounts.unknown-option'],
    async (box) => {
      await box.refused(at(tmpfs('/mnt', 'bogus_option')));
    },
  );
  test('unknown-filesystem', ['runtime.create.cannot-apply', 'runtime.errors.clean'], async (box) => {
    await box.refused(at({ destination: '/mnt', type: 'nosuchfs', source: 'none' }));
  });
  const defaults: ReadonlyArray<readonly [string, string, unknown]> = [
    ['/proc', 'proc', undefined],
    [
      '/sys',
      'sysfs',
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro', 'nosuid', 'nodev', 'noexec'] },
    ],
    ['/dev/pts', 'devpts', undefined],
    ['/dev/shm', 'tmpfs', tmpfs('/dev/shm', 'mode=1777')],
    ['/dev/mqueue', 'mqueue', { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue' }],
  ];
  for (const [path, type, mount] of defaults) {
    test(`default-${type}-on${path.replaceAll('/', '-')}`, ['linux.default-filesystems'], async (box) => {
      same(mountOn(await box.sh(info, mount === undefined ? {} : at(mount)), path).type, type, `type of ${path}`);
    });
  }
  test('no-mounts-at-all', ['config.mounts.order', 'runtime.lifecycle.environment'], async (box) => {
    same(await box.sh('echo well', { '/mounts': undefined }), 'well', 'output');
  });
  test('overlay', ['runtime.lifecycle.environment'], async (box) => {
    box.mountHost(['-t', 'tmpfs', 'tmpfs'], box.path('layers'));
    for (const name of ['lower', 'upper', 'work']) mkdirSync(box.path('layers', name));
    writeFileSync(box.path('layers/lower/file'), 'below');
    const options = [
      `lowerdir=${box.path('layers/lower')}`,
      `upperdir=${box.path('layers/upper')}`,
      `workdir=${box.path('layers/work')}`,
    ];
    same(
      await box.sh('cat /mnt/file', at({ destination: '/mnt', type: 'overlay', source: 'overlay', options })),
      'below',
      'content',
    );
  });
}

const mapping = [{ containerID: 0, hostID: 4000, size: 1000 }];

/** A filesystem that can be id-mapped: tmpfs only since Linux 6.3, ext4 since 5.12. */
function mountMappable(box: Box, target: string): void {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 3)) {
    box.mountHost(['-t', 'tmpfs', 'tmpfs'], target);
    return;
  }
  const image = `${target}.image`;
  writeFileSync(image, '');
  truncateSync(image, 4 << 20);
  if (spawnSync('mkfs.ext4', ['-q', '-F', image]).status !== 0) skip('no mkfs.ext4');
  box.mountHost(['-t', 'ext4', '-o', 'loop', image], target);
}

async function idmapped(box: Box, options: string[], mappings: Changes): Promise<string> {
  const source = box.path('source');
  mountMappable(box, source);
  mountMappable(box, `${source}/nested`);
  for (const file of ['file', 'nested/file']) {
    writeFileSync(`${source}/${file}`, '');
    chownSync(`${source}/${file}`, 5, 6);
  }
  const mount = { ...(bind(source, '/mnt', ...options) as object), ...mappings };
  return box.sh('stat -c %u:%g /mnt/file /mnt/nested/file', at(mount));
}

/** The mount has the owners of its mapping, or is refused in words. */
async function mappedOrRefused(box: Box, source: string, mappings: Changes, owners: string): Promise<void> {
  const result = await box.run(
    'echo began; stat -c %u:%g /mnt',
    at({ ...(bind(source, '/mnt') as object), ...mappings }),
  );
  const out = await box.ranOrRefused(result);
  if (result.code === 0) same(out.trim(), `began\n${owners}`, 'owners');
}

function addIdMaps(test: Add): void {
  const both = { uidMappings: mapping, gidMappings: mapping };
  test(
    'idmap',
    [
      'config.mounts.idmap.applied',
      'config.mounts.idmap.own-mappings',
      'config.mounts.option.idmap',
      'config.mounts.idmap.not-passed',
    ],
    async (box) => {
      same(await idmapped(box, ['rbind', 'idmap'], both), '4005:4006\n5:6', 'owners');
    },
  );
  test('ridmap', ['config.mounts.idmap.applied', 'config.mounts.option.ridmap'], async (box) => {
    same(await idmapped(box, ['rbind', 'ridmap'], both), '4005:4006\n4005:4006', 'owners');
  });
  test('idmap-without-mapping', ['config.mounts.idmap.no-mapping'], async (box) => {
    mkdirSync(box.path('source'));
    await box.refused(at(bind(box.path('source'), '/mnt', 'idmap')));
  });
  for (const key of ['uidMappings', 'gidMappings']) {
    test(`only-${key}`, ['config.mounts.mappings-both'], async (box) => {
      mkdirSync(box.path('source'));
      await box.refused(at({ ...(bind(box.path('source'), '/mnt', 'idmap') as object), [key]: mapping }));
    });
  }
  // Linux 6.9 and later map its ids; what the kernel does not map must not be mounted with other owners than were asked for.
  test('idmap-hugetlbfs', ['config.mounts.idmap.applied'], async (box) => {
    const source = box.path('source');
    box.mountHost(['-t', 'hugetlbfs', '-o', 'uid=5,gid=6', 'none'], source);
    await mappedOrRefused(box, source, { uidMappings: mapping, gidMappings: mapping }, '4005:4006');
  });
  // The kernel changes the ids of such a mount through open_tree_attr(2) alone (6.15), and only of a whole tree.
  test('idmap-of-idmapped', ['config.mounts.idmap.applied'], async (box) => {
    const source = box.path('source');
    mountMappable(box, source);
    chownSync(source, 5, 6);
    const program = `import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
user = os.open(f'/proc/{sys.argv[2]}/ns/user', os.O_RDONLY)
tree = libc.syscall(428, -100, sys.argv[1].encode(), 1 | os.O_CLOEXEC)
attr = (ctypes.c_uint64 * 4)(0x100000, 0, 0, user)
if libc.syscall(442, tree, b'', 0x1000, attr, 32) or libc.syscall(429, tree, b'', -100, sys.argv[1].encode(), 4): sys.exit(os.strerror(ctypes.get_errno()))
`;
    const holder = await box.helper('unshare', ['--user', 'sh', '-c', 'echo $$; exec sleep 60']);
    for (const file of ['uid_map', 'gid_map']) writeFileSync(`/proc/${holder}/${file}`, '0 1000 1000');
    const mapper = await box.spawned('/usr/bin/python3', ['-I', '-c', program, source, String(holder)]);
    if (/ctypes/.test(mapper.stderr)) {
      const option = 'X-mount.idmap=b:0:1000:1000';
      if (spawnSync('mount', ['--bind', '-o', option, source, source]).status !== 0) skip('no mount that maps ids');
    } else if (mapper.code !== 0) skip(mapper.stderr.trim());
    box.later(() => spawnSync('umount', ['-l', source]));
    same((await box.spawned('stat', ['-c', '%u', source])).stdout.trim(), '1005', 'owner outside');
    await mappedOrRefused(box, source, { uidMappings: mapping, gidMappings: mapping }, '4005:4006');
  });
  test('idmap-disk-is-untouched', ['linux.idmap.ownership'], async (box) => {
    writeFileSync(`${box.rootfs}/mine`, '');
    const ids = [{ containerID: 0, hostID: 100000, size: 65536 }];
    const inside = await box.sh('stat -c %u:%g /mine', {
      '/linux/namespaces': namespaces('user'),
      '/linux/uidMappings': ids,
      '/linux/gidMappings': ids,
    });
    same(inside, '65534:65534', 'owner inside');
    const owner = (await box.spawned('stat', ['-c', '%u:%g', `${box.rootfs}/mine`])).stdout.trim();
    same(owner, '0:0', 'owner on disk');
  });
}

export function mountCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('mounts', cases);
  addPlaces(test);
  addBinds(test);
  addFilesystems(test);
  addIdMaps(test);
  return cases;
}
