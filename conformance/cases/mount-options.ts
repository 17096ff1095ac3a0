// One table a kind of mount option; each row is a case that looks at /proc/self/mountinfo of the container.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { bind, tmpfs } from '../config.js';
import { type Add, type Box, type Case, expect, topic } from '../harness.js';
import { checkOptions, mountOn } from './mount-info.js';

type Row = readonly [options: string, present: string, absent: string];

const words = (text: string) => text.split(' ').filter((word) => word !== '');
const proof = (options: string) => words(options).map((name) => `config.mounts.option.${name}`);
const slug = (options: string) => options.replaceAll(' ', '-');

/** Flags of a mount. The last of two that contradict each other counts, as with mount(8). */
const flags: readonly Row[] = [
  ['ro', 'ro', 'rw'],
  ['rw', 'rw', 'ro'],
  ['nosuid', 'nosuid', ''],
  ['suid', '', 'nosuid'],
  ['nodev', 'nodev', ''],
  ['dev', '', 'nodev'],
  ['noexec', 'noexec', ''],
  ['exec', '', 'noexec'],
  ['noatime', 'noatime', 'relatime'],
  ['atime', '', 'noatime'],
  ['nodiratime', 'nodiratime', ''],
  ['diratime', '', 'nodiratime'],
  ['relatime', 'relatime', 'noatime'],
  ['norelatime', '', 'noatime'],
  ['strictatime', '', 'relatime noatime'],
  ['nostrictatime', '', 'noatime'],
  ['nosymfollow', 'nosymfollow', ''],
  ['symfollow', '', 'nosymfollow'],
];

const contradictions: readonly Row[] = [
  ['ro rw', 'rw', 'ro'],
  ['rw ro', 'ro', 'rw'],
  ['nosuid suid', '', 'nosuid'],
  ['suid nosuid', 'nosuid', ''],
  ['nodev dev', '', 'nodev'],
  ['dev nodev', 'nodev', ''],
  ['noexec exec', '', 'noexec'],
  ['exec noexec', 'noexec', ''],
  ['noatime strictatime', '', 'noatime relatime'],
  ['strictatime noatime', 'noatime', ''],
  ['noatime relatime', 'relatime', 'noatime'],
  ['nodiratime diratime', '', 'nodiratime'],
  ['nosymfollow symfollow', '', 'nosymfollow'],
];

/** Flags of the filesystem, not of the mount. */
const superFlags: readonly Row[] = [
  ['sync', 'sync', ''],
  ['async', '', 'sync'],
  ['dirsync', 'dirsync', ''],
  ['sync async', '', 'sync'],
  ['lazytime', 'lazytime', ''],
  ['nolazytime', '', 'lazytime'],
  ['lazytime nolazytime', '', 'lazytime'],
  ['defaults', 'rw', 'sync'],
  ['iversion', 'rw', ''],
  ['noiversion', 'rw', ''],
  ['silent', 'rw', ''],
  ['loud', 'rw', ''],
];

/** Option, what the nested mount had before, and what both have afterwards. */
const recursive: ReadonlyArray<readonly [string, string, string, string]> = [
  ['rro', 'rw', 'ro', ''],
  ['rrw', 'ro', 'rw', ''],
  ['rnosuid', 'suid', 'nosuid', ''],
  ['rsuid', 'nosuid', '', 'nosuid'],
  ['rnodev', 'dev', 'nodev', ''],
  ['rdev', 'nodev', '', 'nodev'],
  ['rnoexec', 'exec', 'noexec', ''],
  ['rexec', 'noexec', '', 'noexec'],
  ['rnodiratime', 'rw', 'nodiratime', ''],
  ['rdiratime', 'nodiratime', '', 'nodiratime'],
  ['rnoatime', 'rw', 'noatime', ''],
  ['ratime', 'noatime', '', 'noatime'],
  ['rrelatime', 'noatime', 'relatime', 'noatime'],
  ['rnorelatime', 'rw', '', 'noatime'],
  ['rstrictatime', 'noatime', '', 'noatime relatime'],
  ['rnostrictatime', 'strictatime', 'relatime', 'noatime'],
  ['rnosymfollow', 'rw', 'nosymfollow', ''],
  ['rsymfollow', 'nosymfollow', '', 'nosymfollow'],
];

/** Option, and what the tags of a bind of a shared mount must and must not contain. */
const propagation: ReadonlyArray<readonly [string, string, string]> = [
  ['private', '', 'shared master unbindable'],
  ['shared', 'shared', 'unbindable'],
  ['slave', 'master', 'shared'],
  ['unbindable', 'unbindable', 'shared master'],
  ['rprivate', '', 'shared master unbindable'],
  ['rshared', 'shared', 'unbindable'],
  ['rslave', 'master', 'shared'],
  ['runbindable', 'unbindable', 'shared master'],
];

async function info(box: Box, mount: unknown, ...more: unknown[]): Promise<string> {
  const appended = Object.fromEntries([mount, ...more].map((item, index) => [`/mounts/${index + 3}`, item]));
  return box.sh('cat /proc/self/mountinfo', appended);
}

function addFlags(test: Add): void {
  for (const [options, present, absent] of [...flags, ...contradictions]) {
    const proves = options.includes(' ') ? ['config.mounts.mount8-behaviour', ...proof(options)] : proof(options);
    test(`tmpfs-${slug(options)}`, proves, async (box) => {
      const found = mountOn(await info(box, tmpfs('/mnt', ...words(options))), '/mnt');
      checkOptions(found.options, words(present), words(absent), '/mnt');
    });
    test(`bind-${slug(options)}`, [...proves, 'config.mounts.option.bind'], async (box) => {
      box.mountHost(['-t', 'tmpfs', 'tmpfs'], box.path('source'));
      const found = mountOn(await info(box, bind(box.path('source'), '/mnt', ...words(options))), '/mnt');
      checkOptions(found.options, words(present), words(absent), '/mnt');
    });
  }
  for (const name of ['suid', 'dev', 'exec', 'diratime', 'symfollow', 'rw']) {
    const opposite = name === 'rw' ? 'ro' : `no${name}`;
    test(
      `bind-${name}-clears-${opposite}-of-source`,
      [...proof(name), 'config.mounts.mount8-behaviour'],
      async (box) => {
        box.mountHost(['-t', 'tmpfs', '-o', 'rw', 'tmpfs'], box.path('source'));
        spawnSync('mount', ['-o', `remount,bind,${opposite}`, box.path('source')]);
        const found = mountOn(await info(box, bind(box.path('source'), '/mnt', name)), '/mnt');
        checkOptions(found.options, [], [opposite], '/mnt');
      },
    );
  }
  for (const [options, present, absent] of superFlags) {
    test(`filesystem-${slug(options)}`, proof(options), async (box) => {
      const found = mountOn(await info(box, tmpfs('/mnt', ...words(options))), '/mnt');
      checkOptions(found.superOptions, words(present), words(absent), 'filesystem of /mnt');
    });
  }
}

function addRecursive(test: Add): void {
  for (const [name, before, present, absent] of recursive) {
    test(`recursive-${name}`, [...proof(name), 'config.mounts.option.rbind'], async (box) => {
      const source = box.path('source');
      box.mountHost(['-t', 'tmpfs', 'tmpfs'], source);
      box.mountHost(['-t', 'tmpfs', '-o', before, 'tmpfs'], `${source}/nested`);
      const text = await info(box, bind(source, '/mnt', 'rbind', name));
      checkOptions(mountOn(text, '/mnt').options, words(present), words(absent), '/mnt');
      checkOptions(mountOn(text, '/mnt/nested').options, words(present), words(absent), '/mnt/nested');
    });
  }
  for (const name of ['ro', 'nosuid', 'nodev', 'noexec', 'noatime']) {
    test(`rbind-${name}-is-not-recursive`, [...proof(name), 'config.mounts.option.rbind'], async (box) => {
      const source = box.path('source');
      box.mountHost(['-t', 'tmpfs', 'tmpfs'], source);
      box.mountHost(['-t', 'tmpfs', 'tmpfs'], `${source}/nested`);
      const text = await info(box, bind(source, '/mnt', 'rbind', name));
      checkOptions(mountOn(text, '/mnt').options, [name], [], '/mnt');
      checkOptions(mountOn(text, '/mnt/nested').options, [], [name], '/mnt/nested');
    });
  }
  test('bind-is-not-recursive', ['config.mounts.option.bind'], async (box) => {
    const source = box.path('source');
    box.mountHost(['-t', 'tmpfs', 'tmpfs'], source);
    box.mountHost(['-t', 'tmpfs', 'tmpfs'], `${source}/nested`);
    const text = await info(box, bind(source, '/mnt'));
    mountOn(text, '/mnt');
    expect(!text.includes(' /mnt/nested '), 'the nested mount came along');
  });
}

function addPropagation(test: Add): void {
  for (const [name, present, absent] of propagation) {
    const nested = name.startsWith('r');
    test(`propagation-${name}`, proof(name), async (box) => {
      const source = box.path('source');
      const targets = nested ? [source, `${source}/nested`] : [source];
      for (const target of targets) {
        box.mountHost(['-t', 'tmpfs', 'tmpfs'], target);
        spawnSync('mount', ['--make-shared', target]);
      }
      const text = await info(box, bind(source, '/mnt', nested ? 'rbind' : 'bind', name));
      for (const path of nested ? ['/mnt', '/mnt/nested'] : ['/mnt']) {
        const { tags } = mountOn(text, path);
        for (const word of words(present)) expect(tags.includes(word), `${path}: no ${word} in '${tags}'`);
        for (const word of words(absent)) expect(!tags.includes(word), `${path}: ${word} in '${tags}'`);
      }
    });
  }
  for (const name of ['private', 'shared', 'unbindable']) {
    test(`propagation-of-tmpfs-${name}`, proof(name), async (box) => {
      const { tags } = mountOn(await info(box, tmpfs('/mnt', name)), '/mnt');
      if (name === 'private') expect(!/shared|master/.test(tags), `tags '${tags}'`);
      else expect(tags.includes(name), `tags '${tags}'`);
    });
  }
  test('remount-ro', proof('remount'), async (box) => {
    const text = await info(box, tmpfs('/mnt'), tmpfs('/mnt', 'remount', 'ro'));
    const found = mountOn(text, '/mnt');
    expect(found.options.has('ro') || found.superOptions.has('ro'), 'still writable');
    expect(
      text.split('\n').filter((line) => line.includes(' /mnt ')).length === 1,
      'a second mount instead of a remount',
    );
  });
  test('bind-remount-ro', proof('remount'), async (box) => {
    mkdirSync(box.path('source'));
    const text = await info(box, bind(box.path('source'), '/mnt'), bind(box.path('source'), '/mnt', 'remount', 'ro'));
    checkOptions(mountOn(text, '/mnt').options, ['ro'], ['rw'], '/mnt');
  });
}

export function mountOptionCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('mount-options', cases);
  addFlags(test);
  addRecursive(test);
  addPropagation(test);
  return cases;
}
