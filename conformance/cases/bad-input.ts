// What a runtime must not swallow, and what it must not choke on.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { baseConfig, type Changes, changed, encode } from '../config.js';
import { type Add, type Box, type Case, expect, same, topic } from '../harness.js';

const valid = (box: Box, changes: Changes = {}) =>
  encode(changed(baseConfig(box.cgroup), { '/process/args': ['/bin/echo', 'well'], ...changes }));
const invalid = ['config.valid-values', 'runtime.errors.clean'];

const texts: ReadonlyArray<readonly [string, (text: string) => string | Buffer]> = [
  ['empty', () => ''],
  ['only-space', () => ' \n'],
  ['truncated', (text) => text.slice(0, -10)],
  ['utf-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['null', () => 'null'],
  ['array', () => '[]'],
  ['string', () => '"x"'],
  ['number', () => '5'],
  ['true', () => 'true'],
  ['empty-object', () => '{}'],
  ['trailing-garbage', (text) => `${text} x`],
  ['second-document', (text) => `${text}{}`],
  ['comment', (text) => `// well\n${text}`],
  ['single-quotes', (text) => text.replaceAll('"', "'")],
  ['trailing-comma', (text) => text.replace(/\}$/, ',}')],
  ['bad-utf-8', (text) => Buffer.from(text.replace('well', 'w\u00fcll'), 'latin1')],
  ['lone-surrogate', (text) => text.replace('"well"', '"\\ud800"')],
  ['control-character', (text) => text.replace('well', 'we\u0001ll')],
  ['not-a-number', (text) => text.replace('"uid": 0', '"uid": NaN')],
  ['leading-zero', (text) => text.replace('"uid": 0', '"uid": 00')],
  ['key-twice', (text) => text.replace(/\}$/, ',"hostname":"a","hostname":"b"}')],
  ['key-twice-in-process', (text) => text.replace('"cwd"', '"noNewPrivileges":true,"noNewPrivileges":false,"cwd"')],
  ['key-twice-escaped', (text) => text.replace(/\}$/, ',"hostname":"a","host\\u006eame":"b"}')],
  ['deep', (text) => text.replace(/\}$/, `,"x":${'['.repeat(100000)}${']'.repeat(100000)}}`)],
];

const values: ReadonlyArray<readonly [string, Changes, string?]> = [
  ['ociVersion-missing', { '/ociVersion': undefined }, 'config.version.semver'],
  ['ociVersion-number', { '/ociVersion': 1 }, 'config.version.semver'],
  ['ociVersion-word', { '/ociVersion': 'banana' }, 'config.version.semver'],
  ['ociVersion-empty', { '/ociVersion': '' }, 'config.version.semver'],
  ['ociVersion-two-parts', { '/ociVersion': '1.0' }, 'config.version.semver'],
  ['ociVersion-leading-zero', { '/ociVersion': '1.00.2' }, 'config.version.semver'],
  ['ociVersion-99', { '/ociVersion': '99.0.0' }],
  ['process-string', { '/process': 'x' }],
  ['process-array', { '/process': [] }],
  ['args-string', { '/process/args': '/bin/true' }, 'config.process.args-entry'],
  ['args-empty', { '/process/args': [] }, 'config.process.args-entry'],
  ['args-missing', { '/process/args': undefined }, 'config.process.args-entry'],
  ['args-number', { '/process/args': [1] }],
  ['args-null', { '/process/args': [null] }],
  ['args-nul', { '/process/args': ['/bin/echo', 'a\0b'] }],
  ['program-nul', { '/process/args': ['/bin/true\0x'] }],
  ['env-without-equals', { '/process/env': ['PATH=/bin', 'X'] }, 'config.process.env'],
  ['env-without-name', { '/process/env': ['=x'] }, 'config.process.env'],
  ['env-nul', { '/process/env': ['A=b\0C=d'] }, 'config.process.env'],
  ['env-string', { '/process/env': 'A=b' }],
  ['env-number', { '/process/env': [5] }],
  ['cwd-missing', { '/process/cwd': undefined }, 'config.process.cwd-absolute'],
  ['cwd-number', { '/process/cwd': 5 }],
  ['cwd-nul', { '/process/cwd': '/tmp\0x' }],
  ['uid-fraction', { '/process/user/uid': 1.5 }],
  ['uid-string', { '/process/user/uid': '0' }],
  ['uid-negative', { '/process/user/uid': -1 }],
  ['uid-2-32', { '/process/user/uid': 4294967296 }],
  ['uid-2-32-minus-1', { '/process/user/uid': 4294967295 }],
  ['uid-huge', { '/process/user/uid': 10n ** 30n }],
  ['gid-negative', { '/process/user/gid': -1 }],
  ['gid-2-32-minus-1', { '/process/user/gid': 4294967295 }],
  ['groups-negative', { '/process/user/additionalGids': [-1] }],
  ['groups-string', { '/process/user/additionalGids': '5' }],
  ['umask-string', { '/process/user/umask': '022' }],
  ['terminal-string', { '/process/terminal': 'no' }],
  ['noNewPrivileges-string', { '/process/noNewPrivileges': 'yes' }],
  ['capabilities-list', { '/process/capabilities': ['CAP_KILL'] }],
  ['readonly-string', { '/root/readonly': 'true' }],
  ['hostname-nul', { '/hostname': 'a\0b' }],
  ['hostname-65', { '/hostname': 'a'.repeat(65) }, 'config.hostname'],
  ['hostname-number', { '/hostname': 5 }],
  ['domainname-65', { '/domainname': 'a'.repeat(65) }, 'config.domainname'],
  ['mounts-object', { '/mounts': {} }],
  ['mount-string', { '/mounts/3': '/mnt' }],
  ['mount-without-destination', { '/mounts/3': { type: 'tmpfs', source: 'tmpfs' } }],
  ['mount-destination-empty', { '/mounts/3': { destination: '', type: 'tmpfs', source: 'tmpfs' } }],
  ['mount-destination-nul', { '/mounts/3': { destination: '/mnt\0x', type: 'tmpfs', source: 'tmpfs' } }],
  ['mount-source-nul', { '/mounts/3': { destination: '/mnt', type: 'none', source: '/tmp\0x', options: ['bind'] } }],
  ['mount-type-nul', { '/mounts/3': { destination: '/mnt', type: 'tmpfs\0x', source: 'tmpfs' } }],
  [
    'mount-option-nul',
    { '/mounts/3': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['size=1m\0x'] } },
  ],
  ['mount-options-string', { '/mounts/3': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: 'ro' } }],
  ['mount-onto-root', { '/mounts/3': { destination: '/', type: 'tmpfs', source: 'tmpfs' } }],
  ['mount-onto-root-by-dots', { '/mounts/3': { destination: '/tmp/..', type: 'tmpfs', source: 'tmpfs' } }],
  ['mount-tmpfs-into-proc', { '/mounts/3': { destination: '/proc/sys', type: 'tmpfs', source: 'tmpfs' } }],
  ['mount-tmpfs-over-attr', { '/mounts/3': { destination: '/proc/self/attr', type: 'tmpfs', source: 'tmpfs' } }],
  ['linux-string', { '/linux': 'x' }],
  ['namespaces-object', { '/linux/namespaces': {} }],
  ['cgroupsPath-number', { '/linux/cgroupsPath': 5 }],
  ['cgroupsPath-nul', { '/linux/cgroupsPath': '/a\0b' }],
  ['sysctl-nul', { '/linux/sysctl': { 'kernel.shmmni': '5\0' } }],
  ['annotations-list', { '/annotations': [] }, 'config.annotations.map'],
  ['annotations-number', { '/annotations': { a: 5 } }, 'config.annotations.value-string'],
  ['annotations-object', { '/annotations': { a: {} } }, 'config.annotations.value-string'],
  ['annotations-empty-key', { '/annotations': { '': 'x' } }, 'config.annotations.key-string'],
  ['hooks-list', { '/hooks': [] }],
  ['hooks-of-a-kind-object', { '/hooks/prestart': {} }],
  ['hook-path-nul', { '/hooks/prestart': [{ path: '/bin/true\0x' }] }],
  [
    'mapping-negative',
    {
      '/linux/uidMappings': [{ containerID: 0, hostID: -1, size: 1 }],
      '/linux/namespaces': [{ type: 'user' }, { type: 'mount' }, { type: 'pid' }],
    },
    'linux.idmap.mappings',
  ],
  [
    'mapping-of-nothing',
    {
      '/linux/uidMappings': [{ containerID: 0, hostID: 1000, size: 0 }],
      '/linux/namespaces': [{ type: 'user' }, { type: 'mount' }, { type: 'pid' }],
    },
    'linux.idmap.mappings',
  ],
  [
    'mappings-overlap',
    {
      '/linux/uidMappings': [
        { containerID: 0, hostID: 1000, size: 10 },
        { containerID: 5, hostID: 2000, size: 10 },
      ],
      '/linux/gidMappings': [{ containerID: 0, hostID: 1000, size: 10 }],
      '/linux/namespaces': [{ type: 'user' }, { type: 'mount' }, { type: 'pid' }],
    },
    'linux.idmap.mappings',
  ],
];

const ignored: ReadonlyArray<readonly [string, Changes, string]> = [
  ['top-level', { '/nosuch': { a: 1 } }, 'config.extensibility'],
  ['in-process', { '/process/nosuch': 5 }, 'config.extensibility'],
  ['in-user', { '/process/user/nosuch': 5 }, 'config.extensibility'],
  ['in-root', { '/root/nosuch': 5 }, 'config.extensibility'],
  ['in-linux', { '/linux/nosuch': [] }, 'config.extensibility'],
  ['in-resources', { '/linux/resources/nosuch': { x: 1 } }, 'config.extensibility'],
  ['in-mount', { '/mounts/0/nosuch': true }, 'config.extensibility'],
  ['in-hooks', { '/hooks/nosuch': [{ path: '/bin/false' }] }, 'config.extensibility'],
  ['prototype', { '/__proto__': { terminal: true } }, 'config.extensibility'],
  ['prototype-in-process', { '/process/__proto__': { terminal: true } }, 'config.extensibility'],
  ['constructor', { '/constructor': { prototype: { terminal: true } } }, 'config.extensibility'],
  ['annotation', { '/annotations': { 'com.example.nosuch': 'x' } }, 'config.annotations.unknown'],
  [
    'annotation-prototype',
    { '/annotations': JSON.parse('{"__proto__":"x","constructor":"y"}') },
    'config.annotations.unknown',
  ],
  ['windows', { '/windows': { layerFolders: ['x'] } }, 'config.platform.object'],
  ['solaris', { '/solaris': { milestone: 'x' } }, 'config.platform.object'],
];

/** What generators write for keys that are not set; both peers take it so. */
const nulls: Changes = {
  '/hooks': null,
  '/annotations': null,
  '/mounts/0/options': null,
  '/process/apparmorProfile': null,
  '/process/rlimits': null,
  '/process/user/additionalGids': null,
  '/linux/resources': { memory: null, pids: null, cpu: { shares: null } },
  '/linux/maskedPaths': null,
  '/linux/seccomp': null,
};

function addTexts(test: Add): void {
  for (const [slug, change] of texts) {
    test(`text-${slug}`, invalid, async (box) => {
      box.configureText(change(valid(box)));
      await box.refusedBundle();
    });
  }
  test('text-with-byte-order-mark', invalid, async (box) => {
    box.configureText(`\ufeff${valid(box)}`);
    await box.refusedBundle();
  });
  test('keys-in-other-case', ['config.extensibility', 'config.process.args-entry'], async (box) => {
    box.configureText(valid(box).replace('"args"', '"ARGS"'));
    await box.refusedBundle();
  });
  test('file-is-folder', ['runtime.errors.clean'], async (box) => {
    mkdirSync(`${box.bundle}/config.json`);
    await box.refusedBundle();
  });
  test('file-is-pipe', ['runtime.errors.clean'], async (box) => {
    spawnSync('mkfifo', [`${box.bundle}/config.json`]);
    await box.refusedBundle();
  });
  test('file-is-endless', ['runtime.errors.clean'], async (box) => {
    await box.spawned('ln', ['-s', '/dev/zero', `${box.bundle}/config.json`]);
    await box.refusedBundle();
    rmSync(`${box.bundle}/config.json`);
  });
  test('text-of-five-megabytes', ['config.extensibility'], async (box) => {
    box.configureText(valid(box, { '/nosuch': 'x'.repeat(5_000_000) }));
    const result = await box.runBundle();
    same([result.code, result.stdout.trim()], [0, 'well'], 'exit status and output');
  });
}

export function badInputCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('bad-input', cases);
  addTexts(test);
  for (const [slug, changes, proof] of values) {
    test(slug, proof === undefined ? invalid : [proof, ...invalid], async (box) => {
      box.configureText(valid(box, changes));
      await box.refusedBundle();
    });
  }
  for (const [slug, changes, proof] of ignored) {
    test(`ignored-${slug}`, [proof], async (box) => {
      box.configureText(valid(box, changes));
      const result = await box.runBundle();
      expect(
        result.code === 0 && result.stdout.trim() === 'well',
        `exit status ${result.code}: ${result.stderr.trim()}`,
      );
    });
  }
  for (const [key, value] of Object.entries(nulls)) {
    test(`null-${key.slice(1).replaceAll('/', '-')}`, [], async (box) => {
      box.configureText(valid(box, { [key]: value }));
      const result = await box.runBundle();
      same([result.code, result.stdout.trim()], [0, 'well'], 'exit status and output');
    });
  }
  for (const version of [
    '1.0.0',
    '1.0.1',
    '1.0.2',
    '1.0.2-dev',
    '1.1.0',
    '1.1.0+dev',
    '1.2.0',
    '1.2.1',
    '1.3.0',
    '1.0.0-rc5',
  ]) {
    test(`ociVersion-${version}-is-accepted`, ['config.version.semver'], async (box) => {
      box.configureText(valid(box, { '/ociVersion': version }));
      const result = await box.runBundle();
      same([result.code, result.stdout.trim()], [0, 'well'], 'exit status and output');
    });
  }
  return cases;
}
