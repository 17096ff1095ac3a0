import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { describeContainer } from './state.js';
import { listContainerIds, listContainers } from './list.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import type { RecordDraft } from '../state/record.js';
import { statusOf } from '../state/status.js';
import { listIds, openContainer } from '../state/store.js';
import { withHead } from '../state/record-head.js';
import { survey } from '../state/survey.js';
import { cleanUp, createContainer, draftOf, makeRoot, publish, startProcess } from '../state/test-container.js';

test.after(cleanUp);

/** A cgroup whose freezer is a file of ours. */
const cgroupAt = (root: string, version: 1 | 2, name: string): CgroupRecord => ({
  driver: 'cgroupfs',
  places: [{ version, controllers: version === 1 ? ['freezer'] : [], mountPoint: root, path: name }],
});

/** Containers in every state there is, and what is none. `odd` are those that are not told from their heads. */
function makeContainers(root: string): { odd: string[] } {
  const running = startProcess('sleep', ['60']);
  const with_ = (id: string, change: Partial<RecordDraft> = {}, init = running): string =>
    publish(root, draftOf(id, change), { pid: init.pid, startTime: init.startTime });
  createContainer(root, draftOf('created'));
  createContainer(root, draftOf('claimed'));
  renameSync(`${root}/claimed/exec.fifo`, `${root}/claimed/started.fifo`);
  with_('running', { annotations: { 'org.example': 'a\nb é' }, owner: 7 });
  execFileSync('mkfifo', [`${with_('fifo-of-nobody')}/exec.fifo`]);
  with_('gone', {}, { ...running, pid: 2 ** 22 + 1 });
  with_('recycled', {}, { ...running, startTime: running.startTime - 1 });
  with_('other-boot', { bootId: 'another' });
  with_('other-pidns', { pidNamespaceInode: 1 });
  writeFileSync(`${with_('é-bundle', { bundle: '/é', rootfs: '/漢' })}/config.json`, '');
  for (const [id, version, file, text] of [
    ['thawed1', 1, 'freezer.state', 'THAWED\n'],
    ['thawed2', 2, 'cgroup.freeze', '0\n'],
    ['frozen1', 1, 'freezer.state', 'FROZEN\n'],
    ['frozen2', 2, 'cgroup.freeze', '1\n'],
  ] as const) {
    mkdirSync(`${root}/.cgroups/${id}`, { recursive: true });
    writeFileSync(`${root}/.cgroups/${id}/${file}`, text);
    with_(id, { cgroup: cgroupAt(`${root}/.cgroups`, version, id) });
  }
  with_('no-cgroup', { cgroup: cgroupAt(root, 2, 'nowhere') });
  publish(root, draftOf('creating'), { pid: 0, startTime: 0 }, 'creating');
  const change = (id: string, edit: (text: string) => string): void => {
    const path = `${with_(id)}/state.json`;
    writeFileSync(path, edit(readFileSync(path, 'utf8')));
  };
  change('old', (text) => {
    const { freezer, ...fields } = withHead(JSON.parse(text))!;
    return `${JSON.stringify({ ...fields, version: 1 })}\n`;
  });
  change('newer', (text) => text.replace('"version":3', '"version":4'));
  change('cut', (text) => text.slice(0, -20));
  change('cut-behind-head', (text) => text.slice(0, text.indexOf('\n') + 1));
  change('cut-head', (text) => text.slice(0, 60));
  change('empty', () => '');
  change('other-id', (text) => text.replace('"other-id"', '"running"'));
  rmSync(`${with_('provisional-only')}/state.json`);
  symlinkSync('running', `${root}/link`);
  mkdirSync(`${root}/claimed-id`);
  writeFileSync(`${root}/file`, '');
  const linked = `${with_('linked-record')}/state.json`;
  rmSync(linked);
  symlinkSync('../running/state.json', linked);
  const odd = ['frozen1', 'frozen2', 'no-cgroup', 'creating', 'old', 'newer', 'cut', 'cut-behind-head', 'cut-head'];
  odd.push('empty', 'other-id', 'provisional-only', 'link', 'claimed-id', 'file', 'linked-record');
  if (process.getuid?.() === 0) {
    chownSync(with_('foreign'), 4711, 4711);
    odd.push('foreign');
  }
  return { odd };
}

test('S48: what is seen of many at once is what is seen of each alone; what is odd is left for that', () => {
  const root = makeRoot();
  const { odd } = makeContainers(root);
  const ids = listIds({ path: root, explicit: true, sticky: false });
  const seen = survey(root, ids);
  assert.equal(ids.filter((_, at) => seen[at] === undefined).sort(), odd.sort());
  ids.forEach((id, at) => {
    const quick = seen[at];
    if (quick === undefined) return;
    const { record, directory } = openContainer(root, id);
    const status = statusOf(record, directory, () => false);
    assert.equal(describeContainer(quick.record, quick.status), describeContainer(record, status), id);
  });
});

test('a list has each container once, whichever way it was looked at, in the order of the ids', () => {
  const root = makeRoot();
  const { odd } = makeContainers(root);
  const said: string[] = [];
  const place = { path: root, explicit: true, sticky: false };
  const frozen = (cgroup: CgroupRecord): boolean => cgroup.places[0]?.path.startsWith('frozen') ?? false;
  const list = listContainers(place, { isFrozen: frozen }, ({ message }) => void said.push(message));
  const bad = ['newer', 'cut', 'cut-behind-head', 'cut-head', 'empty', 'other-id', 'link', 'claimed-id', 'file'];
  bad.push('linked-record', ...(odd.includes('foreign') ? ['foreign'] : []));
  assert.equal(said.map((message) => message.replace(/load container ([^:]*):.*/, '$1')).sort(), bad.sort());
  const statuses = Object.fromEntries(list.map(({ id, status }) => [id, status]));
  assert.equal(
    list.map(({ id }) => id),
    listIds(place).filter((id) => !bad.includes(id)),
  );
  assert.is(statuses.created, 'created');
  assert.is(statuses.claimed, 'created');
  assert.is(statuses.frozen1, 'paused');
  assert.is(statuses.frozen2, 'paused');
  assert.is(statuses.old, 'running');
  assert.is(statuses.recycled, 'stopped');
  assert.is(statuses.creating, 'creating');
  const ids = listContainerIds(place, () => undefined);
  const none = ['link', 'claimed-id', 'file', 'foreign'];
  assert.equal(
    ids,
    listIds(place).filter((id) => !none.includes(id)),
  );
});

test('more than are looked at in one call, and none', () => {
  const root = makeRoot();
  const init = startProcess('sleep', ['60']);
  assert.equal(survey(root, []), []);
  assert.equal(survey(`${root}/nowhere`, []), []);
  assert.equal(survey(`${root}/nowhere`, ['a', 'b']), [undefined, undefined]);
  for (let number = 0; number < 150; number++)
    publish(
      root,
      draftOf(`c${number}`, { bundle: `/b/${number}` }),
      number % 3 === 0 ? { pid: 1, startTime: 0 } : init,
    );
  const link = `${makeRoot()}/link`;
  symlinkSync(root, link);
  assert.is(survey(link, ['c1'])[0]?.status, 'running', 'a root that is a symlink');
  const ids = Array.from({ length: 150 }, (_, number) => `c${number}`);
  survey(root, ids).forEach((seen, number) => {
    assert.is(seen?.record.bundle, `/b/${number}`);
    assert.is(seen?.status, number % 3 === 0 ? 'stopped' : 'running');
  });
});

test.run();
