/** `tsrun check` on the real thing: what it says of a bundle is what `run` then does, as root and as nobody; and it leaves nothing. Needs root. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import * as assert from 'uvu/assert';
import { type Changes, containerSuite, type TestContainer } from '../executor/test-container.js';
import type { BundleReport, HostReport } from '../operations/check/report.js';
import { advisories, advisoriesOf } from '../tables/advisories.js';

const { tests, test } = containerSuite('check');

const schema = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../../../schemas/check.schema.json', import.meta.url)), 'utf8'),
);
delete schema.$schema;
const validate = new Ajv.default({ strict: false }).compile(schema);
const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const exitOf = { starts: 0, fails: 1, findings: 2 } as const;

function hostReport(container: TestContainer, wrapper: readonly string[] = []): HostReport {
  const { status, output, errors } = container.tsrun(['check', '--json'], wrapper);
  assert.is(status, 0, errors);
  const report = JSON.parse(output) as HostReport;
  assert.ok(validate(report), JSON.stringify(validate.errors));
  return report;
}

function bundleReport(container: TestContainer, wrapper: readonly string[] = []): BundleReport {
  const { status, output, errors } = container.tsrun(['check', '--json', '--bundle', container.folder], wrapper);
  assert.is(errors, '');
  const report = JSON.parse(output) as BundleReport;
  assert.ok(validate(report), JSON.stringify(validate.errors));
  assert.is(status, exitOf[report.verdict]);
  return report;
}

const stateOf = ({ host }: HostReport, id: string): string | undefined =>
  host.flatMap(({ facts }) => facts).find((fact) => fact.id === id)?.state;

test('the host: root may make each namespace, nobody only within a user namespace; the schema describes both', (container) => {
  const [root, nobody] = [hostReport(container), hostReport(container, asNobody)];
  for (const type of ['mount', 'network', 'pid', 'ipc', 'uts']) {
    assert.is(stateOf(root, `namespace.${type}`), 'yes', type);
    assert.is(
      stateOf(nobody, `namespace.${type}`),
      stateOf(nobody, 'namespace.user') === 'yes' ? 'partly' : 'no',
      type,
    );
  }
  assert.is(stateOf(root, 'kernel.openat2'), 'yes');
  assert.is(stateOf(root, 'kernel.clone3'), 'yes');
  assert.is(stateOf(nobody, 'kernel.fsopen'), 'yes', 'EPERM is an answer of a kernel that has the call');
  assert.is(stateOf(nobody, 'idmap./'), 'unknown');
});

test('a probe leaves no process, no mount and no file behind', (container) => {
  container.prepare('true');
  const seen = (): string =>
    `${readFileSync('/proc/self/mountinfo', 'utf8')}${existsSync(join(container.folder, 'state'))}`;
  const before = seen();
  hostReport(container);
  bundleReport(container);
  assert.is(seen(), before);
  assert.not(existsSync(join(container.folder, 'state')));
});

/** What is in the way, and where it is found. */
const broken: readonly (readonly [what: string, pointer: string, changes: Changes])[] = [
  ['a bind of nothing', '/mounts/7', { mounts: [{ destination: '/x', source: '/nothing-here', options: ['bind'] }] }],
  [
    'a namespace to join that is not there',
    '/linux/namespaces/0/path',
    { linux: { namespaces: [{ type: 'network', path: '/nothing' }, { type: 'mount' }] } },
  ],
  [
    'a hook that is not there',
    '/hooks/createRuntime/0/path',
    { spec: { hooks: { createRuntime: [{ path: '/nothing' }] } } },
  ],
  [
    'a device of no network',
    '/linux/netDevices/nothing0',
    { linux: { namespaces: [{ type: 'network' }, { type: 'mount' }], netDevices: { nothing0: {} } } },
  ],
  [
    'a parameter that no kernel has',
    '/linux/sysctl/kernel.shm_nothing',
    { linux: { namespaces: [{ type: 'ipc' }, { type: 'mount' }], sysctl: { 'kernel.shm_nothing': '1' } } },
  ],
  [
    'a file system that no kernel has',
    '/mounts/7/type',
    { mounts: [{ destination: '/x', type: 'nothingfs', source: 'x' }] },
  ],
  ['a label of a module that is off', '/process/selinuxLabel', { process: { selinuxLabel: 'a:b:c:d' } }],
];

for (const [what, pointer, changes] of broken)
  test(`${what} is found where it is, and run fails on it`, (container) => {
    container.prepare('true', changes);
    const report = bundleReport(container);
    assert.is(report.verdict, 'fails', JSON.stringify(report));
    const blamed = report.findings
      .filter(({ kind }) => kind === 'error' || kind === 'missing')
      .map((finding) => finding.pointer);
    assert.ok(blamed.includes(pointer), `${blamed} has no ${pointer}`);
    assert.is.not(container.tsrun(['run', '--bundle', container.folder, container.id]).status, 0);
  });

test('every error of a config is told, not only the first', (container) => {
  container.prepare('true');
  const path = join(container.folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  config.process.cwd = 7;
  config.linux.namespaces.push({ type: 'nothing' });
  config.hostname = ['a'];
  writeFileSync(path, JSON.stringify(config));
  const report = bundleReport(container);
  assert.is(report.verdict, 'fails');
  const pointers = report.findings.map(({ pointer }) => pointer);
  for (const pointer of ['/process/cwd', '/hostname']) assert.ok(pointers.includes(pointer), `${pointers}`);
});

test('what starts is said to start, and starts', (container) => {
  const { status } = container.run('exit 7');
  assert.is(status, 7);
  assert.is(bundleReport(container).verdict, 'findings', 'it has no seccomp profile, for one');
});

/** Each gives something away; the key, as it is told. */
const risky: readonly (readonly [pointer: string, changes: Changes])[] = [
  ['/linux', {}],
  ['/linux/namespaces', { linux: { namespaces: [{ type: 'mount' }] } }],
  ['/process/capabilities/bounding/0', { process: { capabilities: { bounding: ['CAP_SYS_ADMIN'] } } }],
  ['/mounts/7/source', { mounts: [{ destination: '/host', source: '/', options: ['rbind'] }] }],
  ['/mounts/7/options', { mounts: [{ destination: '/sys', type: 'sysfs', source: 'sysfs' }] }],
  ['/mounts/7/options/1', { mounts: [{ destination: '/tmp', source: '/tmp', options: ['bind', 'rshared'] }] }],
  ['/linux/rootfsPropagation', { linux: { namespaces: [{ type: 'mount' }], rootfsPropagation: 'shared' } }],
  [
    '/linux/resources/devices/0',
    { linux: { namespaces: [{ type: 'mount' }], resources: { devices: [{ allow: true, access: 'rwm' }] } } },
  ],
];

test('what is risky is told with its key and a sentence', (container) => {
  for (const [pointer, changes] of risky) {
    container.prepare('true', changes);
    const risks = bundleReport(container).findings.filter(({ kind }) => kind === 'risk');
    const finding = risks.find((risk) => risk.pointer === pointer);
    assert.ok(finding && finding.why.length > 10, `${pointer}: ${risks.map((risk) => risk.pointer)}`);
  }
});

test('a bundle with all that it should have gets 0', (container) => {
  const linux: Changes['linux'] = {
    namespaces: ['mount', 'pid', 'network', 'ipc', 'uts', 'cgroup', 'user'].map((type) => ({ type: type as 'mount' })),
    uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
    gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
    seccomp: { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }] },
  };
  container.prepare('true', { linux });
  const report = bundleReport(container);
  const missing = report.findings.filter(({ pointer }) => !pointer.startsWith('/mounts'));
  assert.equal(missing, []);
});

test('an ordinary user is told to need a user namespace, as the start says', (container) => {
  container.prepare('true');
  chmodSync(container.folder, 0o755);
  const report = bundleReport(container, asNobody);
  assert.is(report.verdict, 'fails');
  assert.ok(
    report.findings.some(({ pointer }) => pointer.startsWith('/linux/namespaces')),
    JSON.stringify(report),
  );
});

test('advisories of a version are those that it has, and docs/security.md lists each', () => {
  assert.is(advisoriesOf('libseccomp', '2.5.4').length, 3);
  assert.is(advisoriesOf('libseccomp', '2.6.1').length, 0);
  assert.is(advisoriesOf('libseccomp', '2.10.0').length, 0);
  const text = readFileSync(fileURLToPath(new URL('../../../../docs/security.md', import.meta.url)), 'utf8');
  for (const { id, mendedIn } of advisories)
    assert.ok(
      text.split('\n').some((line) => line.includes(id) && line.includes(mendedIn)),
      id,
    );
});

tests.run();
