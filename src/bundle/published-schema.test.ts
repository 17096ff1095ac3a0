/**
 * Ours against the schema that opencontainers published with 1.0.2, as Debian ships it: a config with every key, and
 * each key in turn set to every kind of value. The verdicts must be the same, but for the reasons written down here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { config102, faultsOf, type Json, mutants, pointersOf, put, smallest } from './test-config.js';

const folder = '/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema';
const installed = existsSync(`${folder}/config-schema.json`);

/** Draft-04 files without `$schema`, which ajv does not know; strict mode refuses their layout. */
function compilePublished(name: string): ValidateFunction {
  const read = (file: string): Json => {
    const { $schema: _, ...schema } = JSON.parse(readFileSync(`${folder}/${file}.json`, 'utf8'));
    return { ...schema, $id: `${file}.json` };
  };
  const parts = ['linux', 'solaris', 'vm', 'windows', 'zos'].map((platform) => `config-${platform}`);
  const definitions = ['defs', 'defs-linux', 'defs-vm', 'defs-windows', 'defs-zos'];
  return new Ajv({ strict: false, schemas: [...parts, ...definitions].map(read) }).compile(read(name));
}

/** [what tsrun says, where, why it does although the published schema has no objection]. */
const refusals: readonly (readonly [code: string, at: RegExp, why: string])[] = [
  ['TSR_CONFIG_VERSION', /^\/ociVersion$/, 'The text demands SemVer; the schema takes any string.'],
  ['TSR_CONFIG_MISSING', /^\/root$/, 'The text requires root on Linux.'],
  ['TSR_ROOT_PATH', /^\/root\/path$/, 'An empty path names no directory, and one must exist.'],
  ['TSR_CONFIG_MISSING', /^\/process\/(args|user\/(uid|gid))$/, 'The text requires args, uid and gid.'],
  ['TSR_CONFIG_EMPTY', /^\/process\/args$/, 'The text requires at least one entry.'],
  ['TSR_PROCESS_ARGS', /^\/process\/args\/0$/, 'execvp never finds an empty name.'],
  ['TSR_CONFIG_FORMAT', /^\/process\/cwd$/, 'The text requires an absolute path.'],
  ['TSR_CONFIG_FORMAT', /^\/hooks\/\w+\/\d+\/path$/, 'The text requires an absolute path.'],
  ['TSR_CONFIG_FORMAT', /^\/linux\/(maskedPaths|readonlyPaths)\/\d+$/, 'The text requires absolute paths.'],
  ['TSR_CONFIG_FORMAT', /^\/linux\/devices\/\d+\/path$/, "The text says 'full path'."],
  ['TSR_CONFIG_FORMAT', /^\/linux\/resources\/devices\/\d+\/access$/, "The text: a composition of 'r', 'w' and 'm'."],
  ['TSR_CONFIG_NAME', /^\/linux\/resources\/devices\/\d+\/type$/, "The text: 'a', 'b' or 'c'."],
  [
    'TSR_CONFIG_NAME',
    /^\/process\/rlimits\/\d+\/type$/,
    'The text: a type that the kernel does not have must be an error.',
  ],
  [
    'TSR_ENV_FORM',
    /\/env\/\d+$/,
    "environ(7): entries have the form NAME=value; without '=' they cannot be looked up.",
  ],
  ['TSR_CONFIG_RANGE', /\/(uid|gid|additionalGids\/\d+)$/, '4294967295 is -1, which the kernel takes as no id.'],
  ['TSR_CONFIG_RANGE', /^\/process\/user\/umask$/, 'umask(2) has nine bits.'],
  ['TSR_CONFIG_RANGE', /^\/process\/oomScoreAdj$/, 'The kernel takes -1000 to 1000.'],
  ['TSR_CONSOLE_SIZE', /^\/process\/consoleSize\//, 'A terminal has 16 bits for each.'],
  ['TSR_CONFIG_RANGE', /^\/process\/consoleSize\//, 'Kept within the exact integers of a double.'],
  ['TSR_RLIMIT_ORDER', /^\/process\/rlimits\/\d+\/soft$/, 'setrlimit(2) refuses a soft limit above the hard one.'],
  [
    'TSR_CONFIG_RANGE',
    /\/(hard|soft|rate|limit|value|valueTwo|shares|burst|period|realtimePeriod)$/,
    'The published bound of 64 bits is rounded up to 2^64 by every reader of doubles; ours is exact. Of memory limits the text allows no negative but -1.',
  ],
  ['TSR_CONFIG_RANGE', /^\/hooks\/\w+\/\d+\/timeout$/, 'poll(2) counts milliseconds in an int: 24 days.'],
  [
    'TSR_MOUNT_ON_ROOT',
    /^\/mounts\/\d+\/destination$/,
    "An empty destination is '/', and a mount there would hide the root.",
  ],
  ['TSR_MOUNT_ON_PROC', /^\/mounts\/\d+\/destination$/, 'security.md S06: only procfs may be on /proc.'],
  ['TSR_MOUNT_TYPE', /^\/mounts\/\d+\/type$/, 'There is no filesystem without a type.'],
  ['TSR_MOUNT_SOURCE', /^\/mounts\/\d+\/source$/, 'A bind mount needs a source.'],
  [
    'TSR_MOUNT_BIND_OPTION',
    /^\/mounts\/\d+\/options$/,
    "The text: a bind mount is one by its option; the kernel has no filesystem 'none'.",
  ],
  [
    'TSR_MOUNT_BIND_DATA',
    /^\/mounts\/\d+\/options\/\d+$/,
    'A bind mount has no filesystem that could take data (S15).',
  ],
  ['TSR_MOUNT_TMPCOPYUP', /^\/mounts\/\d+\/options\/\d+$/, 'The text: copy up the contents to a tmpfs.'],
  ['TSR_HOSTNAME_NAMESPACE', /^\/hostname$/, 'Without a UTS namespace it would rename the host.'],
  ['TSR_NAMESPACE_MAPPINGS', /^\/linux\/[ug]idMappings$/, 'Mappings and a new user namespace need each other.'],
  ['TSR_ID_MAPPING', /^\/linux\/[ug]idMappings\/\d+\/size$/, 'The kernel refuses a range beyond the last id.'],
  ['TSR_CONFIG_RANGE', /^\/linux\/[ug]idMappings\/\d+\/size$/, 'The kernel refuses an empty range.'],
  ['TSR_DEVICE_NUMBER', /^\/linux\/devices\/\d+\/(major|minor)$/, 'The text requires both unless the type is p.'],
  ['TSR_CONFIG_RANGE', /\/(major|minor)$/, "The kernel's device numbers have 12 and 20 bits."],
  ['TSR_CONFIG_MISSING', /^\/linux\/resources\/blockIO\/throttle\w+\/\d+\/rate$/, 'The text requires rate.'],
  [
    'TSR_CGROUP_PATH',
    /^\/linux\/cgroupsPath$/,
    'The text lets a runtime refuse values; a newline would break lines of /proc/PID/cgroup.',
  ],
  ['TSR_CPU_BURST', /^\/linux\/resources\/cpu\/burst$/, 'The text: burst must be no larger than a positive quota.'],
  ['TSR_CPU_PERIOD', /^\/linux\/resources\/cpu\/period$/, 'The kernel takes 1 ms to 1 s.'],
  ['TSR_CPU_QUOTA', /^\/linux\/resources\/cpu\/quota$/, 'The kernel takes 1 ms and more.'],
  [
    'TSR_MEMORY_SWAP',
    /^\/linux\/resources\/memory\/swap$/,
    'It counts memory as well, so it cannot be the smaller one.',
  ],
  ['TSR_CONFIG_RANGE', /^\/linux\/resources\/memory\/(reservation|swap|kernel|kernelTCP)$/, 'The text: bytes, or -1.'],
  ['TSR_CONFIG_RANGE', /^\/linux\/resources\/memory\/swappiness$/, 'The text: 0 to 100.'],
  ['TSR_NETWORK_PRIORITY', /\/priorities\/\d+\/name$/, 'It becomes a word of a line for the kernel.'],
  ['TSR_RDMA', /^\/linux\/resources\/rdma\//, 'The text requires one of the two limits.'],
  ['TSR_UNIFIED_NAME', /^\/linux\/resources\/unified\//, 'security.md S31: a key is one file of a controller.'],
  ['TSR_SECCOMP_LISTENER', /^\/linux\/seccomp\/listenerMetadata$/, 'The text: must not be set without listenerPath.'],
  [
    'TSR_CONFIG_RANGE',
    /^\/linux\/seccomp\/(defaultErrnoRet|syscalls\/\d+\/errnoRet)$/,
    'The kernel has 16 bits for it.',
  ],
  ['TSR_CONFIG_RANGE', /\/args\/\d+\/index$/, 'A system call has six arguments.'],
  [
    'TSR_SECCOMP_ERRNO',
    /\/(defaultErrnoRet|errnoRet)$/,
    'The text: an errno for an action without one must be an error; the kernel ends at 4095.',
  ],
  ['TSR_SYSCTL_NAMESPACE', /^\/linux\/sysctl\//, "security.md S16: other parameters are the host's."],
  ['TSR_RDT_CLOSID', /^\/linux\/intelRdt\/closID$/, "It is the name of one directory, or '/'."],
  ['TSR_RDT_SCHEMA', /^\/linux\/intelRdt\/l3CacheSchema$/, 'The text: no newlines.'],
  ['TSR_CONFIG_MISSING', /^\/linux\/personality\/domain$/, 'The text requires domain.'],
  ['TSR_PERSONALITY_FLAG', /^\/linux\/personality\/flags\/\d+$/, 'The text: no flag is supported.'],
];

/** [the key that was changed, why tsrun has no objection although the published schema has]. */
const acceptances: readonly (readonly [at: RegExp, why: string])[] = [
  [/^\/linux\/devices\/\d+\/fileMode$/, 'The text: uint32. The schema ends at 512, so setuid bits would not fit.'],
  [/^\/linux\/resources\/pids(\/limit)?$/, 'Version 1.3 makes the limit optional.'],
  [/^\/linux\/rootfsPropagation$/, 'podman writes rslave and rshared; runc and crun take them.'],
  [/^\/linux\/namespaces\/\d+\/type$/, 'Version 1.1 adds time.'],
  [/^\/linux\/seccomp\/architectures\/\d+$/, 'Version 1.3 adds LoongArch, m68k and SuperH.'],
  [/^\/vm$/, 'Another platform; tsrun does not look into it.'],
];

const replacements: readonly unknown[] = [
  ...[undefined, null, true, 0, -2, 1.5, 512, 70000, 2 ** 32 - 1, 2 ** 64],
  ...['', 'x', 'RLIMIT_X', 'a\nb', 'rslave', 'time', 'SCMP_ARCH_M68K', [], [1], ['x'], {}, { x: 'y' }],
];

/** Every difference of the verdicts must have a reason, which is noted as used. Returns the published verdict. */
function compare(theirs: ValidateFunction, config: Json, changed: string, what: string, used: Set<unknown>): boolean {
  const accepted = theirs(config) as boolean;
  const faults = faultsOf(JSON.stringify(config));
  if (accepted && faults.length > 0) {
    for (const { code, pointer, message } of faults) {
      const reason = refusals.find(([known, at]) => known === code && at.test(pointer ?? ''));
      assert.ok(reason, `${what}: only tsrun refuses it: ${code} ${pointer} ${message}`);
      used.add(reason);
    }
  } else if (!accepted && faults.length === 0) {
    // Null at an optional key counts as no key.
    const plain = JSON.parse(JSON.stringify(config, (_, item) => item ?? undefined));
    if (what.endsWith(' = null') && theirs(plain)) return false;
    const reason = acceptances.find(([at]) => at.test(changed));
    assert.ok(reason, `${what}: only the published schema refuses it: ${JSON.stringify(theirs.errors)}`);
    used.add(reason);
  }
  return accepted;
}

const withSchema = installed ? test : test.skip;

withSchema('gives the verdict of the published schema 1.0.2 on every changed config, but for written reasons', () => {
  const theirs = compilePublished('config-schema');
  const used = new Set<unknown>();
  let refused = 0;
  const config = config102();
  for (const [pointer, value] of mutants(config, replacements)) {
    refused += compare(theirs, config, pointer, `${pointer} = ${JSON.stringify(value)}`, used) ? 0 : 1;
  }
  compare(theirs, { ...smallest(), vm: {} }, '/vm', 'vm without kernel', used);
  compare(
    theirs,
    put(put(config102(), '/linux/seccomp/defaultAction', 'SCMP_ACT_LOG'), '/hostname', 'a'),
    '',
    'errno of an action without one',
    used,
  );
  assert.ok(
    theirs(config102()) && faultsOf(JSON.stringify(config102())).length === 0,
    'both accept the unchanged config',
  );
  assert.ok(refused > 1500, `only ${refused} configs were refused`);
  for (const reason of [...refusals, ...acceptances])
    assert.ok(used.has(reason), `a reason that explains nothing: ${reason}`);
});

/** Names of all keys that a schema describes, wherever. */
function keysOf(schema: Json): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = typeof schema.properties === 'object' ? Object.keys(schema.properties) : [];
  return [...own, ...Object.values(schema).flatMap(keysOf)];
}

withSchema('knows every key of the published schema', () => {
  const files = ['config-schema', 'config-linux', 'defs', 'defs-linux'];
  const theirs = new Set(files.flatMap((file) => keysOf(JSON.parse(readFileSync(`${folder}/${file}.json`, 'utf8')))));
  const ours = new Set(keysOf(JSON.parse(readFileSync('schemas/config.schema.json', 'utf8'))));
  assert.ok(theirs.size > 120, `${theirs.size} keys`);
  assert.equal(
    [...theirs].filter((key) => !ours.has(key)),
    [],
  );
});

withSchema('our state schema gives the verdict of the published one, but for paused and a missing pid', () => {
  const theirs = compilePublished('state-schema');
  const { $schema: _, ...schema } = JSON.parse(readFileSync('schemas/state.schema.json', 'utf8'));
  const ours = new Ajv({ strictRequired: false }).compile(schema);
  const state = () => ({
    ociVersion: '1.3.0',
    id: 'web',
    status: 'running',
    pid: 5,
    bundle: '/b',
    annotations: { a: 'b' },
  });
  const differences: string[] = [];
  assert.ok(ours(state()) && theirs(state()));
  for (const pointer of pointersOf(state())) {
    for (const value of [...replacements, 'created', 'paused', 'stopped', 'banana']) {
      const changed = put(state(), pointer, value);
      if (ours(changed) === theirs(changed)) continue;
      differences.push(`${pointer} = ${JSON.stringify(value)}`);
    }
  }
  assert.equal(
    differences.filter((text) => !/^\/bundle = "(?!\/)/.test(text)),
    [
      '/id = ""',
      '/status = "paused"',
      '/pid = undefined',
      '/pid = 0',
      '/pid = 4294967295',
      '/pid = 18446744073709552000',
    ],
  );
});

if (!installed) console.log(`skipped: ${folder} is not installed (Debian: golang-github-opencontainers-specs-dev)`);
test.run();
