import { namespaces } from '../config.js';
import { type Box, type Case, expect, same, skip, topic } from '../harness.js';

interface Features {
  [key: string]: unknown;
  ociVersionMin: string;
  ociVersionMax: string;
  hooks?: string[];
  mountOptions?: string[];
  annotations?: Record<string, unknown>;
  linux?: {
    namespaces?: string[];
    capabilities?: string[];
    cgroup?: Record<string, unknown>;
    seccomp?: {
      enabled?: boolean;
      actions?: string[];
      operators?: string[];
      archs?: string[];
      knownFlags?: string[];
      supportedFlags?: string[];
    };
    memoryPolicy?: { modes?: string[]; flags?: string[] };
    mountExtensions?: { idmap?: { enabled?: boolean } };
    [key: string]: unknown;
  };
}

async function features(box: Box): Promise<Features> {
  const result = await box.spawned(box.runtime, ['features']);
  expect(result.code === 0, `features exits with ${result.code}: ${result.stderr.trim()}`);
  return JSON.parse(result.stdout) as Features;
}

const top = [
  'ociVersionMin',
  'ociVersionMax',
  'hooks',
  'mountOptions',
  'linux',
  'annotations',
  'potentiallyUnsafeConfigAnnotations',
];
const linux = [
  'namespaces',
  'capabilities',
  'cgroup',
  'seccomp',
  'apparmor',
  'selinux',
  'intelRdt',
  'mountExtensions',
  'netDevices',
  'memoryPolicy',
];

async function accepts(box: Box, changes: Record<string, unknown>): Promise<void> {
  same(await box.sh('echo well', changes), 'well', 'output');
}

export function featureCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('features', cases);
  for (const [key, proof] of [
    ['ociVersionMin', 'features.version-min'],
    ['ociVersionMax', 'features.version-max'],
  ] as const) {
    test(`${key}-is-accepted`, [proof], async (box) => accepts(box, { '/ociVersion': (await features(box))[key] }));
  }
  test('versions-in-order', ['features.version-order'], async (box) => {
    const { ociVersionMin, ociVersionMax } = await features(box);
    const [least, most] = [ociVersionMin, ociVersionMax].map((text) =>
      text
        .split(/[-+]/)[0]!
        .split('.')
        .reduce((sum, part) => sum * 1000 + Number(part), 0),
    );
    expect(least! <= most!, `${ociVersionMin} to ${ociVersionMax}`);
  });
  test('only-defined-properties', ['features.version-properties'], async (box) => {
    const all = await features(box);
    same(
      Object.keys(all).filter((key) => !top.includes(key)),
      [],
      'others',
    );
    same(
      Object.keys(all.linux ?? {}).filter((key) => !linux.includes(key)),
      [],
      'others in linux',
    );
  });
  test('the-same-each-time', ['features.compile-time'], async (box) => {
    same(await features(box), await features(box), 'second answer');
  });
  test('needs-no-root-folder', [], async (box) => {
    const result = await box.spawned(box.runtime, ['--root', box.path('nosuch'), 'features']);
    same(result.code, 0, 'exit status');
    expect('ociVersionMax' in JSON.parse(result.stdout), 'no features');
  });
  test('hooks-are-supported', ['features.hooks'], async (box) => {
    const list = (await features(box)).hooks ?? [];
    same(
      [...list].sort(),
      ['createContainer', 'createRuntime', 'poststart', 'poststop', 'prestart', 'startContainer'],
      'hooks',
    );
  });
  test('mount-options-are-recognised', ['features.mount-options'], async (box) => {
    // One by one on a bind: an option that is not recognised goes to the filesystem and is refused, or worse, is silent.
    const list = ((await features(box)).mountOptions ?? []).filter(
      (name) => !/^r?idmap$|^(no)?mand$|^(no)?acl$|remount|copy-symlink|nofollow|r?mand/.test(name),
    );
    const mounts = list.map((name, index) => ({
      destination: `/tmp/${index}`,
      type: 'tmpfs',
      source: 'tmpfs',
      options: name.endsWith('bind') ? ['bind'] : [name],
    }));
    const fresh = mounts.filter((mount) => mount.options[0] !== 'bind');
    const changes = Object.fromEntries(fresh.map((mount, index) => [`/mounts/${index + 3}`, mount]));
    await accepts(box, changes);
  });
  test('mount-options-of-filesystems-are-not-listed', ['features.mount-options-data'], async (box) => {
    const list = (await features(box)).mountOptions ?? [];
    same(
      list.filter((name) => /^(size|mode|uid|gid|newinstance|ptmxmode|lowerdir|nr_inodes)/.test(name)),
      [],
      'listed',
    );
  });
  test('mount-options-that-the-text-demands', ['features.mount-options'], async (box) => {
    const list = (await features(box)).mountOptions ?? [];
    const must =
      'async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate rshared rslave runbindable rw shared silent slave strictatime suid sync unbindable';
    same(
      must.split(' ').filter((name) => !list.includes(name)),
      [],
      'missing',
    );
  });
  test('annotations-are-strings', ['features.annotations'], async (box) => {
    same(
      Object.entries((await features(box)).annotations ?? {}).filter(
        ([key, value]) => key === '' || typeof value !== 'string',
      ),
      [],
      'others',
    );
  });
  for (const type of ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time']) {
    test(`namespace-${type}`, ['features.namespaces'], async (box) => {
      if (!((await features(box)).linux?.namespaces ?? []).includes(type)) skip('not listed');
      const ids = [{ containerID: 0, hostID: 100000, size: 65536 }];
      await accepts(box, {
        '/linux/namespaces': namespaces(type),
        ...(type === 'user' ? { '/linux/uidMappings': ids, '/linux/gidMappings': ids } : {}),
      });
    });
  }
  test('capabilities', ['features.capabilities'], async (box) => {
    const list = (await features(box)).linux?.capabilities ?? [];
    expect(list.length >= 38, `only ${list.length}`);
    const result = await box.run('echo well', { '/process/capabilities': { bounding: list } });
    // A capability that the runtime itself lacks may be warned about; an unknown one must not be.
    expect(result.code === 0 && !/unknown/i.test(result.stderr), result.stderr.trim());
  });
  const seccomp: ReadonlyArray<
    readonly [string, 'actions' | 'operators' | 'archs' | 'knownFlags' | 'supportedFlags', string]
  > = [
    ['actions', 'actions', 'features.seccomp.actions'],
    ['operators', 'operators', 'features.seccomp.operators'],
    ['archs', 'archs', 'features.seccomp.archs'],
    ['known-flags', 'knownFlags', 'features.seccomp.known-flags'],
    ['supported-flags', 'supportedFlags', 'features.seccomp.supported-flags'],
  ];
  for (const [slug, key, proof] of seccomp) {
    test(`seccomp-${slug}`, [proof], async (box) => {
      const list = (await features(box)).linux?.seccomp?.[key] ?? [];
      expect(list.length > 0, 'nothing is listed');
      const rule = (action: string, args: object[] = []) => ({ names: ['chroot'], action, args });
      for (const [index, name] of list.entries()) {
        if (name === 'SCMP_ACT_NOTIFY' || name.endsWith('WAIT_KILLABLE_RECV')) continue;
        if (key === 'supportedFlags' && index > 8) break;
        const value: Record<string, unknown> = {
          defaultAction: name === 'SCMP_ACT_ALLOW' ? 'SCMP_ACT_LOG' : 'SCMP_ACT_ALLOW',
        };
        if (key === 'actions') value.syscalls = [rule(name)];
        else if (key === 'operators') value.syscalls = [rule('SCMP_ACT_ERRNO', [{ index: 0, value: 1, op: name }])];
        else if (key === 'archs') Object.assign(value, { architectures: [name], syscalls: [rule('SCMP_ACT_ERRNO')] });
        else Object.assign(value, { flags: [name], syscalls: [rule('SCMP_ACT_ERRNO')] });
        box.configure('echo well', { '/linux/seccomp': value });
        const result = await box.runBundle(`${box.id}-${index}`);
        // Recognised, but not within the reach of the library that is installed.
        if (/not supported by|byte order/.test(result.stderr)) continue;
        expect(result.code === 0 && result.stdout.includes('well'), `${name}: ${result.stderr.trim()}`);
      }
    });
  }
  for (const [key, proof] of [
    ['modes', 'features.memory-policy.modes'],
    ['flags', 'features.memory-policy.flags'],
  ] as const) {
    test(`memory-policy-${key}`, [proof], async (box) => {
      const list = (await features(box)).linux?.memoryPolicy?.[key];
      if (list === undefined) skip('not listed');
      for (const [index, name] of list.entries()) {
        // A mode that this kernel lacks may be refused by the kernel, not by the runtime as unknown.
        const value =
          key === 'modes'
            ? { mode: name, ...(/DEFAULT|LOCAL/.test(name) ? {} : { nodes: '0' }) }
            : { mode: 'MPOL_BIND', nodes: '0', flags: [name] };
        box.configure('echo well', { '/ociVersion': '1.3.0', '/linux/memoryPolicy': value });
        const result = await box.runBundle(`${box.id}-${index}`);
        expect(
          result.code === 0 ||
            /EINVAL|ENOSYS|EPERM|invalid argument|not implemented|not permitted/i.test(result.stderr),
          `${name}: ${result.stderr.trim()}`,
        );
      }
    });
  }
  test('idmap-extension', ['features.mount-extensions.idmap'], async (box) => {
    const extension = (await features(box)).linux?.mountExtensions?.idmap;
    if (extension === undefined) skip('not listed');
    same(extension.enabled, true, 'enabled');
  });
  return cases;
}
