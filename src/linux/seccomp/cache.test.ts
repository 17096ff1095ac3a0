import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Seccomp } from '../../bundle/types.js';
import { cacheKey, type Entry, decodeEntry, encodeEntry, findProfile, loadSeccomp, textKey } from './cache.js';
import { findLibseccomp } from './library.js';
import { makeFolder, removeTree, suiteWith } from '../../test-fixtures.js';

interface Place {
  readonly root: string;
  readonly folder: string;
}
const { tests, test } = suiteWith<Place>('seccomp cache', {
  make: () => {
    const root = makeFolder('seccomp');
    return { root, folder: join(root, '.cache/seccomp') };
  },
  remove: ({ root }) => removeTree(root),
});
/** What a host without libseccomp cannot show is skipped, not passed. */
const unfit = findLibseccomp().path.startsWith('/') ? undefined : 'needs libseccomp';
const compiling = (name: string, body: (place: Place) => void | Promise<void>): void => test(name, body, unfit);

const profile: Seccomp = {
  defaultAction: 'SCMP_ACT_ERRNO',
  syscalls: [{ names: ['read', 'openat2'], action: 'SCMP_ACT_ALLOW' }],
};
const entries = (folder: string) => fs.readdirSync(folder);

compiling('gives on a hit what the compilation gave, from one private file', ({ root, folder }) => {
  const first = loadSeccomp(profile, root);
  assert.equal(entries(folder), [cacheKey(profile)]);
  assert.is(fs.statSync(join(folder, cacheKey(profile))).mode & 0o777, 0o600);
  assert.is(fs.statSync(folder).mode & 0o777, 0o700);
  assert.equal(loadSeccomp(profile, root), first);
});

compiling('really takes the stored program', ({ root, folder }) => {
  loadSeccomp(profile, root);
  const key = cacheKey(profile);
  const stored = { filter: new Uint8Array(16).fill(7), flags: 5, listener: false, rules: 1, allowed: [] };
  fs.writeFileSync(join(folder, key), encodeEntry(stored, key));
  assert.equal(loadSeccomp(profile, root), stored);
});

compiling('compiles again what is torn, edited, renamed or no file, and repairs it', ({ root, folder }) => {
  const good = loadSeccomp(profile, root);
  const path = join(folder, cacheKey(profile));
  const bytes = fs.readFileSync(path);
  const flipped = Buffer.from(bytes);
  flipped[bytes.length - 3]! ^= 1;
  const otherKey = encodeEntry(
    { filter: new Uint8Array(8), flags: 0, listener: false, rules: 1, allowed: [] },
    'f'.repeat(64),
  );
  for (const bad of [
    Buffer.alloc(0),
    bytes.subarray(0, 40),
    bytes.subarray(0, -8),
    Buffer.concat([bytes, bytes]),
    flipped,
    otherKey,
  ]) {
    fs.writeFileSync(path, bad);
    assert.equal(loadSeccomp(profile, root), good);
    assert.equal(fs.readFileSync(path), bytes);
  }
  fs.rmSync(path);
  fs.symlinkSync('/etc/passwd', path);
  assert.equal(loadSeccomp(profile, root), good);
  assert.equal(fs.readFileSync(path), bytes);
});

compiling('S48: neither reads nor writes a folder that others can write to, or exchange', ({ root, folder }) => {
  const good = loadSeccomp(profile, root);
  const key = cacheKey(profile);
  const evil = encodeEntry({ filter: new Uint8Array(8), flags: 0, listener: false, rules: 1, allowed: [] }, key);
  fs.writeFileSync(join(folder, key), evil);
  for (const open of [folder, join(root, '.cache'), root]) {
    const { mode } = fs.statSync(open);
    for (const others of [0o777, 0o1777]) {
      fs.chmodSync(open, others);
      assert.equal(loadSeccomp(profile, root), good, open);
      assert.equal(new Uint8Array(fs.readFileSync(join(folder, key))), evil);
    }
    fs.chmodSync(open, mode);
  }
});

compiling('works without a cache where none can be written', ({ root }) => {
  assert.ok(loadSeccomp(profile, '/proc/self/nowhere').filter.length > 0);
  fs.writeFileSync(join(root, '.cache'), '');
  assert.ok(loadSeccomp(profile, root).filter.length > 0);
});

compiling('keeps 64 entries and drops the longest unused', ({ root, folder }) => {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (let index = 0; index < 64; index++) {
    const path = join(folder, index === 5 ? '.torn.123' : `old-${index}`);
    fs.writeFileSync(path, '');
    fs.utimesSync(path, 1000 + index, 1000 + index);
  }
  loadSeccomp(profile, root);
  const names = entries(folder);
  assert.is(names.length, 64);
  assert.not(names.includes('old-0'));
  assert.ok(names.includes('old-1'));
});

compiling('counts a hit as use', ({ root, folder }) => {
  loadSeccomp(profile, root);
  const path = join(folder, cacheKey(profile));
  fs.utimesSync(path, 1000, 1000);
  loadSeccomp(profile, root);
  assert.ok(fs.statSync(path).mtimeMs > 1e12);
});

compiling('loads neither koffi nor libseccomp for a filter it has', ({ root }) => {
  const modules = ['./cache.js', '../../host/ffi.js'].map((path) => new URL(path, import.meta.url).href);
  const program = `import { loadSeccomp } from '${modules[0]}'; import { isLoaded } from '${modules[1]}';
    import { readFileSync } from 'node:fs';
    loadSeccomp(${JSON.stringify(profile)}, '${root}');
    process.stdout.write(isLoaded() + ' ' + readFileSync('/proc/self/maps', 'utf8').includes('libseccomp'));`;
  const run = () =>
    spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).stdout.toString();
  assert.is(run(), 'true true');
  assert.is(run(), 'false false');
});

const long = { ...profile, syscalls: [{ ...profile.syscalls![0]!, names: ['read', ...Array(99).fill('openat2')] }] };
const text = (seccomp: Seccomp): Uint8Array => new TextEncoder().encode(JSON.stringify(seccomp));

compiling('a profile that a config holds as text is known by its bytes afterwards', ({ root, folder }) => {
  const first = findProfile(text(long), root);
  assert.is(first.known, undefined);
  const compiled = loadSeccomp(long, root, first);
  assert.equal(entries(folder), [textKey(text(long))]);
  const again = findProfile(text(long), root);
  assert.equal(again.known, { ...compiled, head: '{"defaultAction":"SCMP_ACT_ERRNO"}' });
  // Not a word of the value is looked at.
  assert.equal(loadSeccomp({ defaultAction: 'SCMP_ACT_ALLOW' }, root, again), again.known);
  const other = findProfile(text({ ...long, defaultAction: 'SCMP_ACT_KILL' }), root);
  assert.is(other.known, undefined);
});

compiling('an entry that was not written whole under its own key is not known', ({ root, folder }) => {
  loadSeccomp(long, root, findProfile(text(long), root));
  const path = join(folder, textKey(text(long)));
  const bytes = fs.readFileSync(path);
  const flipped = Buffer.from(bytes);
  flipped[bytes.length - 2]! ^= 1; // in the head
  const entry: Entry = { filter: new Uint8Array(8), flags: 0, listener: false, rules: 1, allowed: [], head: '{}' };
  for (const bad of [bytes.subarray(0, -1), flipped, Buffer.from(encodeEntry(entry, cacheKey(long)))]) {
    fs.writeFileSync(path, bad);
    assert.is(findProfile(text(long), root).known, undefined);
  }
  fs.writeFileSync(path, bytes);
  assert.ok(findProfile(text(long), root).known);
  fs.chmodSync(folder, 0o770);
  assert.is(findProfile(text(long), root).known, undefined);
});

compiling(
  'a listener is often another one each time: its profile is known by what the program depends on',
  ({ root, folder }) => {
    const notifying = { ...long, listenerPath: '/a' };
    loadSeccomp(notifying, root, findProfile(text(notifying), root));
    assert.equal(entries(folder), [cacheKey(notifying)]);
  },
);

test('has another key for another program', () => {
  const rule = profile.syscalls![0]!;
  const variants: Seccomp[] = [
    profile,
    { ...profile, defaultAction: 'SCMP_ACT_KILL' },
    { ...profile, defaultErrnoRet: 1 },
    { ...profile, architectures: [] },
    { ...profile, architectures: ['SCMP_ARCH_X86'] },
    { ...profile, flags: [] },
    { ...profile, flags: ['SECCOMP_FILTER_FLAG_LOG'] },
    { defaultAction: 'SCMP_ACT_ERRNO' },
    { ...profile, syscalls: [{ ...rule, names: ['readopenat2'] }] },
    { ...profile, syscalls: [{ ...rule, names: ['read","openat2'] }] },
    {
      ...profile,
      syscalls: [
        { ...rule, names: ['read'] },
        { ...rule, names: ['openat2'] },
      ],
    },
    { ...profile, syscalls: [{ ...rule, action: 'SCMP_ACT_ERRNO' }] },
    { ...profile, syscalls: [{ ...rule, action: 'SCMP_ACT_ERRNO', errnoRet: 1 }] },
    { ...profile, syscalls: [{ ...rule, action: 'SCMP_ACT_ERRNO', errnoRet: 11 }] },
    ...[1, 2 ** 53 - 1, 2n ** 53n, 2n ** 64n - 1n, 2n ** 64n - 2n].map((value) => ({
      ...profile,
      syscalls: [{ ...rule, args: [{ index: 0, op: 'SCMP_CMP_EQ' as const, value }] }],
    })),
  ];
  assert.is(new Set(variants.map((variant) => cacheKey(variant))).size, variants.length);
  assert.is.not(cacheKey(profile, 'another kernel'), cacheKey(profile));
  assert.is.not(textKey(text(profile), 'another kernel'), textKey(text(profile)));
  assert.is.not(textKey(text(profile)), cacheKey(profile));
});

test('has the same key for another listener', () => {
  assert.is(cacheKey({ ...profile, listenerPath: '/a', listenerMetadata: 'b' }), cacheKey(profile));
});

test('decodes what it encoded, under its own key only', () => {
  const entry: Entry = {
    filter: new Uint8Array(32768).fill(3),
    flags: 0xffffffff,
    listener: true,
    rules: 437,
    allowed: ['clone', 'read'],
    head: '{}',
  };
  const bytes = encodeEntry(entry, 'key');
  assert.equal(decodeEntry(bytes, 'key'), entry);
  assert.is(decodeEntry(bytes, 'kez'), undefined);
  for (const length of [0, 16, 79, 80, bytes.length - 1])
    assert.is(decodeEntry(bytes.subarray(0, length), 'key'), undefined);
  for (const at of [0, 4, 8, 12, 16, 79, 80, bytes.length - 1]) {
    const bad = bytes.slice();
    bad[at]! ^= 0x10;
    assert.is(decodeEntry(bad, 'key'), undefined, `${at}`);
  }
});

tests.run();
