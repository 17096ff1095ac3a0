import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { type Case, expect, same, skip, topic } from '../harness.js';
import { mountOn } from './mount-info.js';

const sys = {
  '/mounts/3': { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro', 'nosuid', 'nodev', 'noexec'] },
};

export function pathCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('paths', cases);
  test('root-readonly', ['config.root.readonly'], async (box) => {
    same(await box.sh('touch /file 2>/dev/null || echo refused', { '/root/readonly': true }), 'refused', 'touch');
  });
  test('root-writable', ['config.root.readonly'], async (box) => {
    await box.sh('echo x >/file');
    same(box.read(`${box.rootfs}/file`), 'x', 'content');
  });
  test('root-readonly-tmpfs-stays-writable', ['config.root.readonly'], async (box) => {
    const out = await box.sh('touch /dev/file && { touch /file 2>/dev/null || echo refused; }', {
      '/root/readonly': true,
    });
    same(out, 'refused', 'touch below the root');
  });
  test('root-absolute', ['config.root.path-exists'], async (box) => {
    same(await box.sh('echo in', { '/root/path': box.rootfs }), 'in', 'output');
  });
  test('root-is-the-whole-view', ['runtime.lifecycle.environment'], async (box) => {
    writeFileSync(`${box.rootfs}/only-here`, '');
    const out = await box.sh('ls /../..');
    expect(out.includes('only-here') && !out.includes('work'), out);
  });
  for (const [slug, value] of [
    ['missing', 'nosuch'],
    ['file', 'config.json'],
    ['empty', ''],
    ['number', 5],
  ] as const) {
    test(`root-${slug}`, ['config.root.path-exists', 'runtime.errors.clean'], (box) =>
      box.refused({ '/root/path': value }),
    );
  }
  test('root-not-given', ['config.root.required'], (box) => box.refused({ '/root': undefined }));
  test('root-without-path', ['config.root.required'], (box) => box.refused({ '/root': {} }));
  for (const [name, tag] of [
    ['shared', 'shared'],
    ['slave', ''],
    ['private', ''],
    ['unbindable', 'unbindable'],
    ['rshared', 'shared'],
    ['rprivate', ''],
    ['rslave', ''],
  ] as const) {
    test(`propagation-${name}`, ['linux.rootfs-propagation'], async (box) => {
      const { tags } = mountOn(await box.sh('cat /proc/self/mountinfo', { '/linux/rootfsPropagation': name }), '/');
      expect(tag === '' ? !/shared|unbindable/.test(tags) : tags.includes(tag), `tags of / are '${tags}'`);
    });
  }
  for (const [name, follows] of [
    ['slave', true],
    ['rslave', true],
    ['rprivate', false],
  ] as const) {
    test(`propagation-${name}-of-a-shared-root`, ['linux.rootfs-propagation'], async (box) => {
      box.mountHost(['--bind', box.rootfs], box.rootfs);
      spawnSync('mount', ['--make-shared', box.rootfs]);
      const { tags } = mountOn(await box.sh('cat /proc/self/mountinfo', { '/linux/rootfsPropagation': name }), '/');
      same(tags.replace(/\d+/, 'N'), follows ? 'master:N' : '', 'tags of /');
    });
  }
  test('propagation-unknown', ['config.valid-values'], (box) => box.refused({ '/linux/rootfsPropagation': 'nosuch' }));
  test('masked-file', ['linux.masked-paths.masked'], async (box) => {
    writeFileSync(`${box.rootfs}/secret`, 'secret');
    same(await box.sh('cat /secret', { '/linux/maskedPaths': ['/secret'] }), '', 'content');
  });
  test('masked-folder', ['linux.masked-paths.masked'], async (box) => {
    ensureDirSync(`${box.rootfs}/secrets/in`);
    same(await box.sh('ls /secrets', { '/linux/maskedPaths': ['/secrets'] }), '', 'content');
  });
  test('masked-folder-refuses-writes', ['linux.masked-paths.masked'], async (box) => {
    mkdirSync(`${box.rootfs}/secrets`);
    same(
      await box.sh('touch /secrets/x 2>/dev/null || echo refused', { '/linux/maskedPaths': ['/secrets'] }),
      'refused',
      'touch',
    );
  });
  for (const path of ['/proc/kcore', '/proc/timer_list', '/proc/sched_debug', '/proc/acpi', '/proc/keys']) {
    test(`masked${path.replaceAll('/', '-')}`, ['linux.masked-paths.masked'], async (box) => {
      if (!existsSync(path)) skip(`no ${path} in this kernel`);
      const out = await box.sh(
        `cat /proc/self/mountinfo; echo end; test -d ${path} && ls ${path} || head -c 10 ${path} 2>/dev/null; true`,
        { '/linux/maskedPaths': [path] },
      );
      mountOn(out, path);
      same(out.slice(out.indexOf('\nend') + 4).trim(), '', 'content');
    });
  }
  test('masked-missing-is-nothing', ['linux.masked-paths.masked'], async (box) => {
    same(await box.sh('echo well', { '/linux/maskedPaths': ['/nosuch/path'] }), 'well', 'output');
  });
  test('masked-twice', ['linux.masked-paths.masked'], async (box) => {
    writeFileSync(`${box.rootfs}/secret`, 'secret');
    same(await box.sh('cat /secret', { '/linux/maskedPaths': ['/secret', '/secret'] }), '', 'content');
  });
  test('masked-through-null-of-the-image', ['linux.masked-paths.masked'], async (box) => {
    // The image's /dev/null is a link to a file of its own: it must not take the mask's place.
    removeSync(`${box.rootfs}/dev`);
    mkdirSync(`${box.rootfs}/dev`);
    writeFileSync(`${box.rootfs}/bait`, 'bait');
    symlinkSync('/bait', `${box.rootfs}/dev/null`);
    writeFileSync(`${box.rootfs}/secret`, 'secret');
    const result = await box.run('echo began; cat /secret', {
      '/mounts': [{ destination: '/proc', type: 'proc', source: 'proc' }],
      '/linux/maskedPaths': ['/secret'],
    });
    const out = await box.ranOrRefused(result);
    expect(!/secret|bait/.test(out), `content '${out}'`);
  });
  test('readonly-folder', ['linux.readonly-paths.readonly'], async (box) => {
    same(
      await box.sh('touch /tmp/x 2>/dev/null || echo refused; touch /root/x', { '/linux/readonlyPaths': ['/tmp'] }),
      'refused',
      'touch',
    );
  });
  test('readonly-file', ['linux.readonly-paths.readonly'], async (box) => {
    same(
      await box.sh('echo x 2>/dev/null >>/etc/passwd || echo refused', { '/linux/readonlyPaths': ['/etc/passwd'] }),
      'refused',
      'write',
    );
  });
  for (const path of ['/proc/sys', '/proc/bus', '/proc/fs', '/proc/irq', '/proc/sysrq-trigger']) {
    test(`readonly${path.replaceAll('/', '-')}`, ['linux.readonly-paths.readonly'], async (box) => {
      if (!existsSync(path)) skip(`no ${path} in this kernel`);
      const { options } = mountOn(await box.sh(`cat /proc/self/mountinfo`, { '/linux/readonlyPaths': [path] }), path);
      expect(options.has('ro'), [...options].join(','));
    });
  }
  test('readonly-keeps-flags', ['linux.readonly-paths.readonly'], async (box) => {
    const { options } = mountOn(
      await box.sh('cat /proc/self/mountinfo', {
        '/mounts/3': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'noexec', 'nodev'] },
        '/linux/readonlyPaths': ['/mnt'],
      }),
      '/mnt',
    );
    expect(
      ['ro', 'nosuid', 'noexec', 'nodev'].every((flag) => options.has(flag)),
      [...options].join(','),
    );
  });
  test('readonly-missing-is-nothing', ['linux.readonly-paths.readonly'], async (box) => {
    same(await box.sh('echo well', { '/linux/readonlyPaths': ['/nosuch/path'] }), 'well', 'output');
  });
  test('sys-is-read-only', ['linux.default-filesystems'], async (box) => {
    const out = await box.sh('mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused; cat /proc/self/mountinfo', sys);
    expect(out.startsWith('refused'), 'mkdir works');
    same(mountOn(out, '/sys').type, 'sysfs', 'type');
  });
  for (const [key, proof] of [
    ['maskedPaths', 'linux.masked-paths.absolute'],
    ['readonlyPaths', 'linux.readonly-paths.absolute'],
  ] as const) {
    for (const [slug, value] of [
      ['relative', ['proc/kcore']],
      ['empty', ['']],
      ['number', [5]],
      ['string', '/proc'],
    ] as const) {
      test(`${key}-${slug}`, [proof, 'config.valid-values'], (box) => box.refused({ [`/linux/${key}`]: value }));
    }
  }
  return cases;
}
