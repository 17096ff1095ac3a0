/**
 * Where the JSON schema that opencontainers publishes and the text of runtime-spec differ, line by line: what the schema
 * takes although the text forbids it must be refused, with the pointer; what the schema refuses although the text allows
 * it must be taken.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codesOf, config130, type Json, put } from './test-config.js';

const set = (pointer: string, value: unknown): Json => put(config130(), pointer, value);
const lack = (pointer: string): Json => set(pointer, undefined);
const allowed = (rest: object): Json => set('/linux/resources/devices', [{ allow: true, access: 'r', ...rest }]);

/** The words of the survey, what is said of it, and a config in which it is the only fault. */
const forbidden: readonly (readonly [line: string, finding: string, config: Json])[] = [
  ['any string as ociVersion', 'TSR_CONFIG_VERSION /ociVersion', set('/ociVersion', 'any string')],
  ['no root', 'TSR_CONFIG_MISSING /root', lack('/root')],
  ['relative cwd', 'TSR_CONFIG_FORMAT /process/cwd', set('/process/cwd', 'home')],
  ['empty args', 'TSR_CONFIG_EMPTY /process/args', set('/process/args', [])],
  ['user without uid', 'TSR_CONFIG_MISSING /process/user/uid', lack('/process/user/uid')],
  ['user without gid', 'TSR_CONFIG_MISSING /process/user/gid', lack('/process/user/gid')],
  [
    'duplicate namespaces',
    'TSR_NAMESPACE_DUPLICATE /linux/namespaces/8/type',
    set('/linux/namespaces/8', { type: 'uts' }),
  ],
  [
    'duplicate rlimits',
    'TSR_RLIMIT_DUPLICATE /process/rlimits/1/type',
    set('/process/rlimits/1/type', 'RLIMIT_NOFILE'),
  ],
  ['relative namespace path', 'TSR_CONFIG_FORMAT /linux/namespaces/5/path', set('/linux/namespaces/5/path', 'ns/user')],
  ['relative masked path', 'TSR_CONFIG_FORMAT /linux/maskedPaths/0', set('/linux/maskedPaths/0', 'proc/kcore')],
  ['relative readonly path', 'TSR_CONFIG_FORMAT /linux/readonlyPaths/0', set('/linux/readonlyPaths/0', 'proc/sys')],
  [
    'relative hook path',
    'TSR_CONFIG_FORMAT /hooks/createRuntime/0/path',
    set('/hooks/createRuntime/0/path', 'bin/hook'),
  ],
  ['device c without major', 'TSR_DEVICE_NUMBER /linux/devices/0/major', lack('/linux/devices/0/major')],
  [
    'device b without minor',
    'TSR_DEVICE_NUMBER /linux/devices/0/minor',
    set('/linux/devices/0', { type: 'b', path: '/dev/x', major: 8 }),
  ],
  ['memoryPolicy without mode', 'TSR_CONFIG_MISSING /linux/memoryPolicy/mode', lack('/linux/memoryPolicy/mode')],
  ['personality without domain', 'TSR_CONFIG_MISSING /linux/personality/domain', lack('/linux/personality/domain')],
  [
    'personality.flags of any string',
    'TSR_PERSONALITY_FLAG /linux/personality/flags/0',
    set('/linux/personality/flags', ['any string']),
  ],
  [
    'ioPriority without priority',
    'TSR_CONFIG_MISSING /process/ioPriority/priority',
    lack('/process/ioPriority/priority'),
  ],
  ['ioPriority outside 0-7', 'TSR_CONFIG_RANGE /process/ioPriority/priority', set('/process/ioPriority/priority', 8)],
  ['ioPriority outside 0-7', 'TSR_CONFIG_RANGE /process/ioPriority/priority', set('/process/ioPriority/priority', -1)],
  [
    'weightDevice without weight or leafWeight',
    'TSR_BLOCK_IO_WEIGHT /linux/resources/blockIO/weightDevice/0',
    set('/linux/resources/blockIO/weightDevice', [{ major: 8, minor: 0 }]),
  ],
  [
    'throttle without rate',
    'TSR_CONFIG_MISSING /linux/resources/blockIO/throttleReadBpsDevice/0/rate',
    lack('/linux/resources/blockIO/throttleReadBpsDevice/0/rate'),
  ],
  [
    'throttle without rate',
    'TSR_CONFIG_MISSING /linux/resources/blockIO/throttleWriteBpsDevice/0/rate',
    lack('/linux/resources/blockIO/throttleWriteBpsDevice/0/rate'),
  ],
  [
    'throttle without rate',
    'TSR_CONFIG_MISSING /linux/resources/blockIO/throttleReadIOPSDevice/0/rate',
    lack('/linux/resources/blockIO/throttleReadIOPSDevice/0/rate'),
  ],
  [
    'throttle without rate',
    'TSR_CONFIG_MISSING /linux/resources/blockIO/throttleWriteIOPSDevice/0/rate',
    lack('/linux/resources/blockIO/throttleWriteIOPSDevice/0/rate'),
  ],
  ['device-cgroup type z', 'TSR_CONFIG_NAME /linux/resources/devices/0/type', allowed({ type: 'z' })],
  ['device-cgroup access q', 'TSR_CONFIG_FORMAT /linux/resources/devices/0/access', allowed({ access: 'q' })],
  [
    'swappiness 900',
    'TSR_CONFIG_RANGE /linux/resources/memory/swappiness',
    set('/linux/resources/memory/swappiness', 900),
  ],
  ['rdma entry with neither value', 'TSR_RDMA /linux/resources/rdma/mlx5_1', set('/linux/resources/rdma/mlx5_1', {})],
  ['uidMappings without gidMappings (mount)', 'TSR_MOUNT_IDMAP /mounts/2/gidMappings', lack('/mounts/2/gidMappings')],
  [
    'listenerMetadata without listenerPath',
    'TSR_SECCOMP_LISTENER /linux/seccomp/listenerMetadata',
    lack('/linux/seccomp/listenerPath'),
  ],
  [
    'errnoRet on an action that has none',
    'TSR_SECCOMP_ERRNO /linux/seccomp/syscalls/0/errnoRet',
    set('/linux/seccomp/syscalls/0', { names: ['read'], action: 'SCMP_ACT_KILL', errnoRet: 1 }),
  ],
  [
    'seccomp arg index > 5',
    'TSR_CONFIG_RANGE /linux/seccomp/syscalls/1/args/0/index',
    set('/linux/seccomp/syscalls/1/args/0/index', 6),
  ],
  ['burst > quota', 'TSR_CPU_BURST /linux/resources/cpu/burst', set('/linux/resources/cpu/burst', 50001)],
  [
    'newline in l3CacheSchema',
    'TSR_RDT_SCHEMA /linux/intelRdt/l3CacheSchema',
    set('/linux/intelRdt/l3CacheSchema', 'L3:0=f\nL3:1=f'),
  ],
  [
    'newline in schemata',
    'TSR_RDT_SCHEMA /linux/intelRdt/schemata/0',
    set('/linux/intelRdt/schemata/0', 'L3:0=f\nMB:0=1'),
  ],
  ['any cpus string', 'TSR_NUMBER_LIST /linux/resources/cpu/cpus', set('/linux/resources/cpu/cpus', 'all of them')],
  ['any mems string', 'TSR_NUMBER_LIST /linux/resources/cpu/mems', set('/linux/resources/cpu/mems', 'all of them')],
  ['any nodes string', 'TSR_NUMBER_LIST /linux/memoryPolicy/nodes', set('/linux/memoryPolicy/nodes', 'all of them')],
  ['empty annotation key', 'TSR_ANNOTATION_NAME /annotations/', put(config130(), '/annotations', { '': 'x' })],
  [
    'a clock that is none in timeOffsets',
    'TSR_CONFIG_NAME /linux/timeOffsets/realtime',
    set('/linux/timeOffsets/realtime', { secs: 1 }),
  ],
];

test('what the schema takes and the text forbids is refused, with the pointer of the key', () => {
  for (const [line, finding, config] of forbidden) assert.equal(codesOf(config), [finding], line);
});

test('what the schema refuses and the text allows is taken', () => {
  const allowed: readonly Json[] = [
    // uint32 in the text; the schema ends at 0777.
    set('/linux/devices/0/fileMode', 0o4755),
    // But not '64kB': it must match the name of the control file, which has a capital K.
    set('/linux/resources/hugepageLimits/0/pageSize', '64KB'),
  ];
  for (const config of allowed) assert.equal(codesOf(config), [], JSON.stringify(config.linux.devices));
});

const schemaOf = (name: string): Json => JSON.parse(readFileSync(`schemas/${name}.schema.json`, 'utf8'));

test('the schemas that are ours have what the published ones lack', () => {
  const ajv = new Ajv2020({ strict: false });
  const state = ajv.compile(schemaOf('state'));
  const created = { ociVersion: '1.3.0', id: 'web', status: 'created', pid: 5, bundle: '/b' };
  assert.ok(state(created));
  assert.ok(state({ ...created, status: 'paused' }), 'a runtime may have further states');
  assert.not(state({ ...created, pid: undefined }), 'a created container has a pid');
  const { linux } = schemaOf('features').properties;
  for (const key of ['memoryPolicy', 'intelRdt', 'netDevices']) assert.ok(linux.properties[key], key);
  for (const key of ['schemata', 'monitoring']) assert.ok(linux.properties.intelRdt.properties[key], key);
});

test.run();
