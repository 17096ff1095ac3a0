import { readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadBundleConfig } from '../bundle/spec-document.js';
import { TsrunError } from '../errors/error.js';
import { makeRootlessSpec, makeSpec, writeSpec } from './spec.js';
import { folderFor } from '../test-fixtures.js';

const folder = folderFor(test, 'spec');

test('what is written is a config this runtime takes without a word', () => {
  for (const [name, spec] of [
    ['root', makeSpec()],
    ['root-v2', makeSpec(true)],
    ['rootless', makeRootlessSpec(1000, 1001)],
  ] as const) {
    const path = join(folder, `${name}.json`);
    writeSpec(path, spec);
    const loaded = loadBundleConfig(path);
    assert.equal(loaded.warnings, [], name);
    assert.equal(JSON.parse(JSON.stringify(loaded.spec)), JSON.parse(JSON.stringify(spec)));
    assert.match(readFileSync(path, 'utf8'), /^\{\n\t"ociVersion": "1\.3\.0",\n[\s\S]*\n\}\n$/);
    assert.is(statSync(path).mode & 0o111, 0);
  }
});

test('it has a cgroup namespace on cgroup v2 only, as with runc', () => {
  const has = ({ linux }: ReturnType<typeof makeSpec>): boolean =>
    linux?.namespaces?.some(({ type }) => type === 'cgroup') ?? false;
  assert.equal([makeSpec(), makeSpec(true), makeRootlessSpec(1, 1), makeRootlessSpec(1, 1, true)].map(has), [
    false,
    true,
    false,
    true,
  ]);
});

test('it is a shell on a terminal that can do little', () => {
  const { process, hostname, root, linux } = makeSpec();
  assert.equal(
    [process?.args, process?.terminal, hostname, root],
    [['sh'], true, 'tsrun', { path: 'rootfs', readonly: true }],
  );
  assert.is(process?.noNewPrivileges, true);
  assert.not(process?.capabilities?.bounding?.includes('CAP_SYS_ADMIN'));
  assert.not(linux?.namespaces?.some(({ type }) => type === 'user'));
});

test("the rootless one maps the caller's ids and asks for nothing that takes privileges", () => {
  const { mounts, linux } = makeRootlessSpec(1000, 1001);
  assert.equal(linux?.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
  assert.equal(linux?.gidMappings, [{ containerID: 0, hostID: 1001, size: 1 }]);
  const types = linux?.namespaces?.map(({ type }) => type) ?? [];
  assert.ok(types.includes('user') && !types.includes('network'));
  assert.is(linux?.resources, undefined);
  for (const { options } of mounts ?? []) assert.not(options?.some((option) => /^[ug]id=/.test(option)));
  assert.not(mounts?.some(({ type }) => type === 'sysfs' || type === 'cgroup'));
});

test('no file is overwritten, and no symlink followed', () => {
  const path = join(folder, 'config.json');
  writeFileSync(path, 'mine');
  const exists = (error: unknown) =>
    error instanceof TsrunError && error.message === 'File config.json exists. Remove it first';
  assert.throws(() => writeSpec(path, makeSpec()), exists);
  assert.is(readFileSync(path, 'utf8'), 'mine');
  rmSync(path);
  symlinkSync('elsewhere', path);
  assert.throws(() => writeSpec(path, makeSpec()), exists);
  assert.throws(() => writeSpec(join(folder, 'none/config.json'), makeSpec()), /cannot write/);
});

test.run();
