import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { capabilityNames } from '../tables/capabilities.js';
import { describeFeatures, flagsOfKernel } from './features.js';
import { makeSpec } from './spec.js';
import { folderFor } from '../test-fixtures.js';

const features = describeFeatures(flagsOfKernel());

test('what is printed fits the schema of features', () => {
  const schema = JSON.parse(
    readFileSync(fileURLToPath(new URL('../../../../schemas/features.schema.json', import.meta.url)), 'utf8'),
  );
  delete schema.$schema;
  const validate = new Ajv.default({ strict: false }).compile(schema);
  assert.ok(validate(JSON.parse(JSON.stringify(features))), JSON.stringify(validate.errors));
});

test('cri-o finds both versions, containerd and docker their switches', () => {
  assert.equal([features.ociVersionMin, features.ociVersionMax], ['1.0.0', '1.3.0']);
  assert.ok(features.mountOptions?.includes('rro'));
  assert.is(typeof features.linux?.mountExtensions?.idmap?.enabled, 'boolean');
});

const folder = folderFor(test, 'features');
mkdirSync(join(folder, 'rootfs'));

/** Whether `tsrun plan` refuses the config as something that is not built. */
function isRefused(linux: object, mounts: object[] = []): boolean {
  const spec = makeSpec();
  const config = { ...spec, mounts: [...(spec.mounts ?? []), ...mounts], linux: { ...spec.linux, ...linux } };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, [main, 'plan', '--bundle', folder], { encoding: 'utf8' });
  assert.ok(stdout !== '' || stderr !== '');
  return /not supported yet/.test(stderr);
}

test('what the compiler refuses is not claimed, and what is claimed is not refused', () => {
  const { linux, mountOptions } = features;
  const idmapped = { destination: '/a', type: 'none', source: '/b', options: ['bind', 'idmap'] };
  const mapping = [{ containerID: 0, hostID: 1000, size: 1 }];
  assert.is(
    isRefused({}, [{ ...idmapped, uidMappings: mapping, gidMappings: mapping }]),
    !linux?.mountExtensions?.idmap?.enabled,
  );
  assert.is(mountOptions?.includes('idmap'), linux?.mountExtensions?.idmap?.enabled);
  assert.is(isRefused({ netDevices: { eth0: {} } }), !linux?.netDevices?.enabled);
  assert.is(isRefused({ intelRdt: { closID: 'x' } }), !linux?.intelRdt?.enabled);
  assert.is(isRefused({ memoryPolicy: { mode: 'MPOL_BIND', nodes: '0' } }), linux?.memoryPolicy === undefined);
  assert.is(isRefused({}), false);
});

test('supported flags are those that the kernel takes, and nothing is said when it cannot be asked', () => {
  const { knownFlags, supportedFlags } = features.linux?.seccomp ?? {};
  assert.ok(supportedFlags?.includes('SECCOMP_FILTER_FLAG_LOG'));
  assert.ok(supportedFlags?.every((flag) => knownFlags?.includes(flag)));
  assert.equal(describeFeatures(['SECCOMP_FILTER_FLAG_LOG']).linux?.seccomp?.supportedFlags, [
    'SECCOMP_FILTER_FLAG_LOG',
  ]);
  assert.not('supportedFlags' in (describeFeatures(undefined).linux?.seccomp ?? {}));
});

test('S36: annotations that change what is done are told as unsafe', () => {
  // Each name is looked for in the sources, so that none is missing here and none is left over.
  const sources = spawnSync(
    'grep',
    [
      '-rhoE',
      "'((run\\.oci|org\\.(criu|systemd))\\.[a-z_.]+|org\\.opencontainers\\.[a-zA-Z.]+|io\\.tsrun\\.[a-z.-]+)'",
      'src',
      '--include=*.ts',
      '--exclude=*.test.ts',
      '--exclude=features.ts',
    ],
    { encoding: 'utf8' },
  );
  const used = [...new Set(sources.stdout.trim().split('\n'))].map((name) => name.slice(1, -1)).sort();
  assert.equal(features.potentiallyUnsafeConfigAnnotations, used);
});

test('lists are sorted but for those with an order of their own', () => {
  const { linux, mountOptions, hooks } = features;
  const seccomp = linux?.seccomp;
  for (const list of [
    mountOptions,
    linux?.namespaces,
    seccomp?.actions,
    seccomp?.operators,
    seccomp?.archs,
    seccomp?.knownFlags,
  ]) {
    assert.ok(list && list.length > 3);
    assert.equal(list, [...list].sort());
  }
  assert.equal(hooks, ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']);
  assert.equal(linux?.capabilities, capabilityNames);
});

test.run();
