// On a tree of plain files in resctrl's place: what the kernel makes of a schema is not seen here.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import { cleanUp, draftOf, makeRoot, publish, startProcess } from '../state/test-container.js';
import { someCgroup } from './test-tools.js';
import { updateContainer } from './update.js';
import { stateFiles } from '../tables/state-files.js';
import { folderFor } from '../test-fixtures.js';

const folder = folderFor(test, 'resctrl');
test.after(cleanUp);

const group = join(folder, 'web');
const schemata = join(group, 'schemata');
const before = '    MB:0=100\n    L3:0=fff\n';
mkdirSync(group);

/** A running container with these groups; answers the code of the refusal, or ''. */
async function update(rdt: object, record: object, resources = {}): Promise<string> {
  writeFileSync(schemata, before);
  const root = makeRoot();
  publish(root, draftOf('web', { cgroup: someCgroup, ...record }), startProcess('sleep', ['60']));
  writeFileSync(join(root, 'web', stateFiles.resources), '{}');
  try {
    await updateContainer(root, 'web', { resources, rdt }, () => undefined);
    return '';
  } catch (error) {
    if (error instanceof TsrunError) return error.failure.code;
    throw error;
  }
}
const own = { intelRdtGroups: [group], intelRdtPath: group };

test('the schemas are written in one go, the cache first', async () => {
  assert.is(await update({ memBwSchema: 'MB:0=20', l3CacheSchema: 'L3:0=f' }, own), '');
  assert.ok(readFileSync(schemata, 'utf8').startsWith('L3:0=f\nMB:0=20\n'));
  assert.is(await update({ memBwSchema: 'MB:0=30' }, own), '');
  assert.ok(readFileSync(schemata, 'utf8').startsWith('MB:0=30\n'));
});

test('a group of others, or none, is not changed', async () => {
  const rdt = { memBwSchema: 'MB:0=20' };
  assert.is(await update(rdt, { intelRdtGroups: [group] }), 'TSR_RDT_UPDATE');
  assert.is(await update(rdt, { intelRdtGroups: [group], intelRdtPath: `${group}/mon_groups/web` }), 'TSR_RDT_UPDATE');
  assert.is(await update(rdt, {}), 'TSR_RDT_UPDATE');
  assert.is(readFileSync(schemata, 'utf8'), before);
});

test('what is no schema of the resource is refused', async () => {
  for (const rdt of [{ l3CacheSchema: 'MB:0=1' }, { memBwSchema: 'L3:0=f' }, { memBwSchema: 'MB:0=1\nL3:0=f' }])
    assert.is(await update(rdt, own), 'TSR_CLI_VALUE');
  assert.is(readFileSync(schemata, 'utf8'), before);
});

test('limits that the cgroup does not take bring the schemas back', async () => {
  const resources = { unified: { 'pids.max': '5' } };
  assert.is.not(await update({ memBwSchema: 'MB:0=20' }, own, resources), '');
  assert.is(readFileSync(schemata, 'utf8'), before);
});

test.run();
