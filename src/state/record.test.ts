import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import { carry } from '../tables/carried-text.js';
import { encodeProvisional, encodeRecord, parseRecord, stringifyTexts } from './record.js';
import { isCgroupRecord } from './record-checks.js';
import { parseHead, withHead } from './record-head.js';
import { draftOf } from './test-container.js';

const place = { version: 1, controllers: ['pids'], mountPoint: '/sys/fs/cgroup/pids', path: 'docker/web' } as const;
const full = draftOf('web', {
  annotations: { 'org.example.a': 'quote " and \\ and \n', __proto__: 'own' },
  hooks: { poststop: [{ path: '/bin/true' }] },
  cgroup: { driver: 'cgroupfs', places: [place] },
  creator: { pid: 7, startTime: 8 },
});

/** What the executor writes. */
function published(draft = full): string {
  const { before, between, after } = encodeRecord(draft);
  return `${before}123${between}456${after}`;
}

/** Where each thing is in the head. */
const places = ['status', 'pid', 'startTime', 'id', 'bootId', 'pidNamespaceInode', 'ociVersion'].concat(
  ...['bundle', 'rootfs', 'created', 'owner', 'freezer', 'annotations'],
);

/** The published record with another value of one key. */
function changed(key: string, value: unknown): string {
  const [head, ...rest] = published().split('\n');
  const record = JSON.parse(`${head}}`);
  if (places.includes(key)) record.head[places.indexOf(key)] = value;
  else if (key in record) record[key] = value;
  else return JSON.stringify({ ...record, ...JSON.parse(`{${rest.join('').slice(1)}`), [key]: value });
  return `${JSON.stringify(record).slice(0, -1)}\n${rest.join('\n')}`;
}

const codeOf = (text: string): string => {
  try {
    parseRecord(text, 'web', 'state.json');
    return '';
  } catch (error) {
    return error instanceof TsrunError ? error.failure.code : String(error);
  }
};

test('the executor fills in pid and start time where the record is cut', () => {
  const { before, between, after } = encodeRecord(full);
  const record = parseRecord(`${before}4194304${between}98765432109${after}`, 'web', 'state.json');
  assert.equal(record, { version: 3, status: 'ready', pid: 4194304, startTime: 98765432109, freezer: '', ...full });
});

test('a record is creating before there is a process, and while there is one', () => {
  assert.is(parseRecord(encodeProvisional(full), 'web', 'provisional.json').status, 'creating');
  const { before, between, after } = encodeRecord(full, 'creating');
  const record = parseRecord(`${before}5${between}6${after}`, 'web', 'state.json');
  assert.is(record.status, 'creating');
  assert.is(record.pid, 5);
});

test('annotations named like parts of JavaScript are data', () => {
  const text = changed('annotations', JSON.parse('{"__proto__":"x"}'));
  const record = parseRecord(text, 'web', 'state.json');
  assert.is(Object.getOwnPropertyDescriptor(record.annotations, '__proto__')?.value, 'x');
  assert.is(({} as Record<string, unknown>).x, undefined);
});

test('what is no record is damaged, and says how to get rid of it', () => {
  for (const text of ['', '{', '[]', 'null', '"x"', '1', '{}', '\0\0\0\0', published().slice(0, -20)]) {
    assert.is(codeOf(text), 'TSR_STATE_CORRUPT', text);
  }
  assert.throws(
    () => parseRecord('{', 'web', 'state.json'),
    (error: TsrunError) => error.failure.hint?.includes('delete --force web') ?? false,
  );
});

test('every field a command acts on is checked', () => {
  const changes: [string, unknown][] = [
    ['id', 'other'],
    ['status', 'running'],
    ['pid', '123'],
    ['pid', 0],
    ['pid', -1],
    ['pid', 1.5],
    ['startTime', '1'],
    ['bootId', 1],
    ['pidNamespaceInode', null],
    ['bundle', 'relative'],
    ['bundle', '/nul\0'],
    ['rootfs', 3],
    ['created', 1],
    ['owner', 'root'],
    ['annotations', { a: 1 }],
    ['annotations', 1],
    ['hooks', []],
    ['hooks', { poststop: {} }],
    ['hooks', { poststop: [{ path: 'relative' }] }],
    ['namespaces', {}],
    ['confinement', undefined],
    ['creator', { pid: 'x', startTime: 1 }],
    ['cgroup', undefined],
    ['version', '1'],
    ['version', undefined],
    ['head', undefined],
    ['head', {}],
    ['head', ['ready', 1, 2]],
  ];
  assert.is(codeOf(published()), '');
  for (const [key, value] of changes) {
    assert.is(codeOf(changed(key, value)), 'TSR_STATE_CORRUPT', `${key} = ${JSON.stringify(value)}`);
  }
});

test('no cgroup path of a damaged record can mean more than the container', () => {
  const withPlace = (change: object) => ({ driver: 'cgroupfs', places: [{ ...place, ...change }] });
  assert.ok(isCgroupRecord(withPlace({})));
  for (const path of ['', '/', '/docker', 'docker/', '..', 'a/../b', 'a//b', '.', 'a\0'])
    assert.not(isCgroupRecord(withPlace({ path })), path);
  for (const change of [{ mountPoint: 'sys' }, { version: 3 }, { controllers: 'pids' }])
    assert.not(isCgroupRecord(withPlace(change)));
  for (const value of [null, [], {}, { driver: 'x', places: [] }, { driver: 'cgroupfs' }])
    assert.not(isCgroupRecord(value));
});

test('a newer format is a clear error', () => {
  const text = changed('version', 4);
  assert.is(codeOf(text), 'TSR_STATE_VERSION');
  assert.throws(() => parseRecord(text, 'web', 'state.json'), /created by a newer tsrun/);
});

test('what list shows stands in the first line, which is enough to read it', () => {
  const { before, between, after } = encodeRecord({
    ...full,
    annotations: { a: 'line\nand\ttab', long: '\n'.repeat(300) },
  });
  const text = `${before}4${between}5${after}`;
  assert.is(text.split('\n').length, 3);
  const line = text.slice(0, text.indexOf('\n'));
  const head = parseHead(`${line}\t`, 'web');
  const { version, creator, cgroup, namespaces, hooks, terminal, confinement, stdio, rootless, ...shown } = parseRecord(
    text,
    'web',
    'state.json',
  );
  assert.equal(head, shown);
  assert.is(parseHead(line, 'web'), undefined, 'nothing follows');
  assert.is(parseHead(`${line}\t`, 'other'), undefined);
  assert.is(parseHead(`${line.slice(0, -1)}\t`, 'web'), undefined);
  assert.is(parseHead(`${line.replace('"ready"', '"creating"')}\t`, 'web'), undefined);
  for (const other of [1, 2, 4])
    assert.is(parseHead(`${line.replace('"version":3', `"version":${other}`)}\t`, 'web'), undefined);
  assert.is(parseHead(`${line.replace('[', '[[').replace(/]$/, ']]')}\t`, 'web'), undefined);
  assert.equal(Object.keys(head!), places);
  for (const [key, value] of Object.entries(head!)) {
    for (const bad of [key === 'annotations' ? 'other.json' : null, [], 1.5, -1, typeof value === 'string' ? 7 : 'x']) {
      if (key === 'startTime' && typeof bad === 'number') continue; // compared with that of the process
      if (key === 'bootId' || key === 'pidNamespaceInode') continue; // compared with ours, whatever they are
      assert.is(parseHead(`${changed(key, bad).split('\n')[0]}\t`, 'web'), undefined, key);
    }
  }
});

test('records of every released format stay readable', () => {
  // Written by hand for format 1; when the format changes, this text stays and a new one joins it (R42).
  const one =
    '{"version":1,"status":"ready","pid":123,"startTime":456,"id":"web","bootId":"b","pidNamespaceInode":4026531836,' +
    '"ociVersion":"1.0.2","bundle":"/b","rootfs":"/b/rootfs","created":"2026-11-22T00:42:08.123Z","annotations":{},' +
    '"owner":0,"cgroup":{"driver":"disabled","places":[]},"namespaces":[{"type":"pid"}],"hooks":{},"terminal":false,' +
    '"confinement":{"rlimits":[],"noNewPrivileges":true,"additionalGids":[],"seccomp":false},"stdio":["","",""],"rootless":false}\n';
  assert.is(parseRecord(one, 'web', 'state.json').pid, 123);
  const two = one.replace('"version":1', '"version":2').replace('"annotations":{}', '"annotations":"annotations.json"');
  assert.is(parseRecord(two, 'web', 'state.json').startTime, 456);
  const three =
    '{"version":3,"head":["ready",123,456,"web","b",4026531836,"1.0.2","/b","/b/rootfs","2026-11-22T00:42:08.123Z",0,"",null]\n' +
    ',"cgroup":{"driver":"disabled","places":[]},"namespaces":[{"type":"pid"}],"hooks":{},"terminal":false,"stdio":["","",""],' +
    '"confinement":{"rlimits":[],"noNewPrivileges":true,"additionalGids":[],"seccomp":false},"rootless":false}\n';
  const { version: _1, ...first } = parseRecord(one, 'web', 'state.json');
  const { version: _3, freezer, ...third } = parseRecord(three, 'web', 'state.json');
  assert.equal(third, first);
  assert.is(freezer, '');
});

test('what stands beside a head cannot take its place', () => {
  const fields = { version: 3, head: ['ready', 123, 456, 'web', ...Array(9).fill('')], pid: 1, id: 'other' };
  assert.is(withHead(fields)?.pid, 123);
  assert.is(withHead(fields)?.id, 'web');
});

test('long texts of annotations are written as JSON', () => {
  const texts = {
    plain: 'x'.repeat(300),
    quoted: `"${'y'.repeat(300)}\\`,
    'na"me': 'é'.repeat(300),
    short: 'a\nb',
    line: `${'z'.repeat(300)}\n`,
  };
  assert.equal(JSON.parse(String(stringifyTexts(texts))), texts);
  assert.is(stringifyTexts(texts), JSON.stringify(texts));
  assert.is(stringifyTexts({}), '{}');
  const draft = { ...full, annotations: texts };
  const { before, between, after } = encodeRecord(draft);
  assert.equal(parseRecord(`${before}1${between}2${after}`, 'web', 'state.json').annotations, texts);
});

test('annotations that are carried are named, and nothing but their own file can be', () => {
  const json = '{ "a":\n"b" }';
  const annotations = carry(() => json, new TextEncoder().encode(json));
  const { before, between, after } = encodeRecord({ ...full, annotations });
  const text = `${before}5${between}6${after}`;
  const record = parseRecord(text, 'web', 'state.json');
  assert.is(record.annotations as unknown, 'annotations.json');
  assert.is(parseHead(`${text.split('\n')[0]}\t`, 'web'), undefined);
  for (const other of ['"../annotations.json"', '"state.json"', '[]', '1'])
    assert.throws(
      () => parseRecord(text.replace('"annotations.json"', other), 'web', 'state.json'),
      (error: TsrunError) => error.failure.detail === "bad 'annotations'",
    );
});

test.run();
