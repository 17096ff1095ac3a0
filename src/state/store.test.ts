import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import { claimId, claimStart } from './lock.js';
import { encodeProvisional, encodeRecord } from './record.js';
import {
  findDirectory,
  listIds,
  openContainer,
  prepareRoot,
  readRecord,
  readStateFile,
  removeIfEmpty,
  removeState,
  writeConfigSnapshot,
  writeProvisional,
} from './store.js';
import { cleanUp, draftOf, makeRoot, publish } from './test-container.js';
import { needsRoot, unless } from '../test-fixtures.js';

const rootTest = unless(test, needsRoot);
const mounted: string[] = [];

test.after(() => {
  for (const path of mounted.splice(0)) execFileSync('umount', [path]);
  cleanUp();
});

/** A tmpfs of its own, to fill it up or make it read-only. */
function mountTmpfs(options: string): string {
  const path = makeRoot();
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
  mounted.push(path);
  return path;
}

const codeOf = (call: () => unknown): string => {
  try {
    call();
    return '';
  } catch (error) {
    return error instanceof TsrunError ? error.failure.code : String(error);
  }
};

const rootOf = (path: string) => ({ path, explicit: true, sticky: false });

test('an id can be claimed once, and the loser leaves the winner untouched', () => {
  const root = makeRoot();
  const directory = claimId(root, 'web');
  fs.writeFileSync(`${directory}/state.json`, 'winner');
  assert.throws(
    () => claimId(root, 'web'),
    (error: TsrunError) => error.message === 'container with given ID already exists',
  );
  assert.is(fs.readFileSync(`${directory}/state.json`, 'utf8'), 'winner');
  assert.is(fs.statSync(directory).mode & 0o7777, 0o700);
});

test('of 16 processes that claim an id at once, one wins', () => {
  const root = makeRoot();
  const module = new URL('./lock.js', import.meta.url).href;
  const script = `import { claimId } from '${module}'; try { claimId('${root}', 'web'); console.log('won'); } catch (e) { console.log(e.failure.code); }`;
  const shell = `for i in $(seq 16); do "$0" --input-type=module -e "$1" & done; wait`;
  const lines = spawnSync('sh', ['-c', shell, process.execPath, script], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n');
  assert.is(lines.filter((line) => line === 'won').length, 1);
  assert.is(lines.filter((line) => line === 'TSR_STATE_EXISTS').length, 15);
});

test('a start can be claimed once', () => {
  const root = makeRoot();
  fs.mkdirSync(`${root}/web`);
  fs.writeFileSync(`${root}/web/exec.fifo`, '');
  assert.ok(claimStart(`${root}/web`));
  assert.not(claimStart(`${root}/web`));
});

test('the provisional record is read until the published one is there', () => {
  const root = makeRoot();
  const directory = claimId(root, 'web');
  assert.is(readRecord(directory, 'web'), undefined);
  assert.is(
    codeOf(() => openContainer(root, 'web')),
    'TSR_STATE_MISSING',
  );
  writeProvisional(directory, encodeRecord(draftOf('web'), 'creating'));
  assert.is(openContainer(root, 'web').record.status, 'creating');
  publish(root, draftOf('web'), { pid: 5, startTime: 6 });
  assert.is(openContainer(root, 'web').record.status, 'ready');
  for (const name of fs.readdirSync(directory))
    assert.is(fs.statSync(`${directory}/${name}`).mode & 0o7777, 0o600, name);
});

test('what is no sane regular file is not read, and nothing hangs', () => {
  const root = makeRoot();
  const directory = `${root}/web`;
  const file = `${directory}/state.json`;
  const plants: [string, string, () => void][] = [
    ['FIFO', 'TSR_STATE_CORRUPT', () => execFileSync('mkfifo', [file])],
    ['directory', 'TSR_STATE_CORRUPT', () => fs.mkdirSync(file)],
    ['symlink', 'TSR_STATE_READ', () => fs.symlinkSync('/etc/passwd', file)],
    ['endless', 'TSR_STATE_READ', () => fs.symlinkSync('/dev/zero', file)],
    ['huge', 'TSR_STATE_CORRUPT', () => execFileSync('truncate', ['-s', '1T', file])],
    ['truncated', 'TSR_STATE_CORRUPT', () => fs.writeFileSync(file, '')],
  ];
  for (const [name, code, plant] of plants) {
    fs.mkdirSync(directory);
    plant();
    assert.is(
      codeOf(() => openContainer(root, 'web')),
      code,
      name,
    );
    fs.rmSync(directory, { recursive: true });
  }
});

test('flipped bytes give a record, an error with a code, or nothing worse', () => {
  const text = encodeProvisional(draftOf('web'));
  const root = makeRoot();
  fs.mkdirSync(`${root}/web`);
  let damaged = 0;
  for (let at = 0; at < text.length; at += 3) {
    const bytes = Buffer.from(text);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    fs.writeFileSync(`${root}/web/state.json`, bytes);
    const code = codeOf(() => openContainer(root, 'web'));
    assert.ok(['', 'TSR_STATE_CORRUPT', 'TSR_STATE_VERSION'].includes(code), `${at}: ${code}`);
    if (code !== '') damaged++;
  }
  assert.ok(damaged > text.length / 12, 'the test has damaged something');
});

test('removal takes what is known and reports the one call that took the directory', () => {
  const root = makeRoot();
  const directory = publish(root, draftOf('web'), { pid: 5, startTime: 6 });
  writeConfigSnapshot(directory, '{}');
  execFileSync('mkfifo', ['exec.fifo', 'reply.fifo', 'started.fifo'], { cwd: directory });
  fs.writeFileSync(`${directory}/.state.json.tsrun`, '');
  fs.mkdirSync(`${directory}/notify`);
  fs.writeFileSync(`${directory}/notify/notify.sock`, '');
  assert.ok(removeState(root, 'web'));
  assert.not(fs.existsSync(directory));
  assert.not(removeState(root, 'web'));
});

test("removal stops at what is not tsrun's, before it has removed anything", () => {
  const root = makeRoot();
  const directory = publish(root, draftOf('web'), { pid: 5, startTime: 6 });
  fs.writeFileSync(`${directory}/notes.txt`, 'mine');
  assert.is(
    codeOf(() => removeState(root, 'web')),
    'TSR_STATE_FOREIGN',
  );
  assert.equal(fs.readdirSync(directory).sort(), ['notes.txt', 'provisional.json', 'state.json']);
});

test('removal follows no symlink', () => {
  const root = makeRoot();
  const directory = publish(root, draftOf('web'), { pid: 5, startTime: 6 });
  fs.mkdirSync(`${root}/canary`);
  fs.writeFileSync(`${root}/canary/notify.sock`, '');
  fs.symlinkSync('../canary', `${directory}/notify`);
  fs.symlinkSync('../canary/notify.sock', `${directory}/config.json`);
  assert.ok(removeState(root, 'web'));
  assert.equal(fs.readdirSync(`${root}/canary`), ['notify.sock']);
});

test('an empty directory of a killed create goes, a full one stays', () => {
  const root = makeRoot();
  removeIfEmpty(claimId(root, 'empty'));
  const directory = claimId(root, 'full');
  fs.writeFileSync(`${directory}/state.json`, '');
  removeIfEmpty(directory);
  assert.equal(fs.readdirSync(root), ['full']);
});

test('a listing has containers only, sorted; a missing root matters only if it was asked for', () => {
  const root = makeRoot();
  for (const name of ['b', 'a', '.cache', 'has space']) fs.mkdirSync(`${root}/${name}`);
  assert.equal(listIds(rootOf(root)), ['a', 'b']);
  assert.equal(listIds({ path: `${root}/none`, explicit: false, sticky: false }), []);
  assert.is(
    codeOf(() => listIds(rootOf(`${root}/none`))),
    'TSR_STATE_ROOT',
  );
});

test('S48: the root is made private, and one that others can write to is refused, sticky or not', () => {
  const top = makeRoot();
  prepareRoot(rootOf(`${top}/a/b`));
  assert.is(fs.statSync(`${top}/a/b`).mode & 0o7777, 0o700);
  prepareRoot({ path: `${top}/xdg`, explicit: false, sticky: true });
  assert.is(fs.statSync(`${top}/xdg`).mode & 0o7777, 0o1700);
  for (const mode of [0o777, 0o720, 0o702, 0o1777]) {
    fs.chmodSync(`${top}/a`, mode);
    assert.is(
      codeOf(() => prepareRoot(rootOf(`${top}/a`))),
      'TSR_STATE_ROOT',
    );
  }
  fs.writeFileSync(`${top}/file`, '');
  assert.is(
    codeOf(() => prepareRoot(rootOf(`${top}/file`))),
    'TSR_STATE_ROOT',
  );
  assert.is(
    codeOf(() => prepareRoot(rootOf(`${top}/file/below`))),
    'TSR_STATE_ROOT',
  );
});

rootTest("another user's directory is no container of ours", () => {
  const root = makeRoot();
  publish(root, draftOf('web'), { pid: 5, startTime: 6 });
  fs.chownSync(`${root}/web`, 4711, 4711);
  assert.is(
    codeOf(() => findDirectory(root, 'web')),
    'TSR_STATE_FOREIGN',
  );
  assert.is(
    codeOf(() => removeState(root, 'web')),
    'TSR_STATE_FOREIGN',
  );
});

rootTest('R23: a full file system is named, and nothing half-written is left', () => {
  for (const options of ['size=4k,mode=700', 'nr_inodes=3,mode=700']) {
    const root = mountTmpfs(options);
    const directory = claimId(root, 'web');
    const big = draftOf('web', { annotations: { filler: 'x'.repeat(20_000) } });
    if (options.startsWith('nr_')) fs.writeFileSync(`${root}/last`, '');
    assert.throws(
      () => writeProvisional(directory, encodeRecord(big, 'creating')),
      (error: TsrunError) => error.failure.errno === 'ENOSPC' && error.message.includes('provisional.json'),
      options,
    );
    assert.equal(fs.readdirSync(directory), []);
  }
});

rootTest('a read-only root refuses claims by name of the error', () => {
  const root = mountTmpfs('mode=700');
  const directory = publish(root, draftOf('web'), { pid: 5, startTime: 6 });
  fs.writeFileSync(`${directory}/exec.fifo`, '');
  execFileSync('mount', ['-o', 'remount,ro', root]);
  for (const call of [() => claimId(root, 'other'), () => claimStart(directory), () => removeState(root, 'web')]) {
    assert.throws(call, (error: TsrunError) => error.failure.errno === 'EROFS');
  }
  assert.is(openContainer(root, 'web').record.pid, 5);
  assert.is(readStateFile(directory, 'exec.fifo'), '');
});

test.run();
