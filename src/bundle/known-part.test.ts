import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import { type Found, headOf, plainHead } from './known-part.js';
import { loadBundleConfig, loadWithProfile } from './spec-document.js';
import { config102, type Json } from './test-config.js';
import { folderFor } from '../test-fixtures.js';

const folder = folderFor(test, 'known');
const path = join(folder, 'config.json');
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const names = Array.from({ length: 80 }, (_, index) => `call_number_${index}`);
const profile = (): Json => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 38,
  architectures: ['SCMP_ARCH_X86_64'],
  syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }],
});

/** Knows every profile that can be known, and counts how often one was. */
function memory() {
  const seen: string[] = [];
  const find = (bytes: Uint8Array): Found => {
    const head = headOf(bytes);
    seen.push(head ?? 'unknown');
    return { bytes, known: head === undefined ? undefined : { head } };
  };
  return { seen, find };
}

/** What comes of reading, in full. */
function outcome(read: () => { spec: unknown; warnings: unknown; source: { text: string } }): unknown {
  try {
    const { spec, warnings, source } = read();
    const { text } = source;
    const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);
    return JSON.parse(JSON.stringify({ spec, warnings, text }, plain));
  } catch (error) {
    if (error instanceof TsrunError) return { failure: error.failure };
    throw error;
  }
}

function readBothWays(text: string): { seen: string[]; whole: Json } {
  writeFileSync(path, text);
  const { seen, find } = memory();
  const whole = outcome(() => loadBundleConfig(path));
  assert.equal(
    outcome(() => loadWithProfile(path, find)),
    whole,
    text.slice(0, 200),
  );
  assertHead(text);
  return { seen, whole };
}

/** Where a config is plain, its profile is not read a second time: what is remembered of it must be the same. */
function assertHead(text: string): boolean {
  writeFileSync(path, text);
  let loaded: ReturnType<typeof loadWithProfile<Found>>;
  try {
    loaded = loadWithProfile(path, (bytes): Found => ({ bytes, known: undefined }));
  } catch (error) {
    if (error instanceof TsrunError) return false;
    throw error;
  }
  if (!loaded.profile?.plain) return false;
  assert.is(plainHead(loaded.spec.linux!.seccomp!), headOf(loaded.profile.bytes), text.slice(0, 200));
  return true;
}

function configWith(seccomp: Json, change: (config: Json) => void = () => undefined): Json {
  const config = config102();
  config.linux.seccomp = seccomp;
  change(config);
  return config;
}

test('a config is the same whether its profile was known or not, its rules included', () => {
  for (const indent of [undefined, 1, '\t']) {
    const { seen, whole } = readBothWays(JSON.stringify(configWith(profile()), null, indent));
    assert.equal(seen, [
      '{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"architectures":["SCMP_ARCH_X86_64"]}',
    ]);
    assert.is(whole.spec.linux.seccomp.syscalls[0].names.length, 80);
  }
});

test('the rules are not read before somebody looks at them', () => {
  // Bytes that are no JSON: whoever reads them fails.
  const good = JSON.stringify(configWith(profile()));
  writeFileSync(path, good.replace('"call_number_7"', '*call_number_7*'));
  const find = (bytes: Uint8Array): Found => ({ bytes, known: { head: '{"defaultAction":"SCMP_ACT_KILL"}' } });
  const { spec } = loadWithProfile(path, find);
  assert.is(spec.linux?.seccomp?.defaultAction, 'SCMP_ACT_KILL');
  assert.throws(() => spec.linux?.seccomp?.syscalls, /JSON/);
});

test('what is wrong or odd elsewhere is found as ever', () => {
  const odd: ((config: Json) => void)[] = [
    (config) => delete config.process.cwd,
    (config) => Object.assign(config.process, { cwd: 'relative' }),
    (config) => Object.assign(config, { ociVersion: '9.0.0' }),
    (config) => Object.assign(config, { unknownKey: { a: 1 } }),
    (config) => Object.assign(config, { hostname: null }),
    (config) => Object.assign(config.linux, { sysctl: { 'kernel.sem': 'a\0b' } }),
    (config) => Object.assign(config.linux.resources, { memory: { limit: 2 ** 60 } }),
    (config) => Object.assign(config, { seccomp: profile() }),
    (config) => Object.assign(config.annotations, { 'a"linux': '"seccomp":{' }),
  ];
  for (const change of odd) readBothWays(JSON.stringify(configWith(profile(), change)));
});

test('text that is no config, or says something twice', () => {
  const good = JSON.stringify(configWith(profile()));
  const part = JSON.stringify(profile());
  for (const text of [
    `${good}}`,
    good.slice(0, -1),
    good.replace('"linux":', '"linux":{"seccomp":{}},"linux":'),
    good.replace('"seccomp":', `"seccomp":${part},"seccomp":`),
    good.replace('"seccomp":', `"seccomp":${part},"\\u0073eccomp":`),
    good.replace('"seccomp":{', '"seccomp" : {'),
    good.replace(part, `${part} ${part}`),
    good.replace(part, `[${part}]`),
    good.replace(/"defaultErrnoRet":38/, '"defaultErrnoRet":3.5'),
  ]) {
    readBothWays(text);
  }
});

test('nothing is remembered of a profile that has something to be said about it, or a listener', () => {
  const head = (change: (seccomp: Json) => void): string | undefined => {
    const seccomp = profile();
    change(seccomp);
    return headOf(bytesOf(JSON.stringify(seccomp)));
  };
  assert.type(
    head(() => undefined),
    'string',
  );
  const rule = { names: ['read'], action: 'SCMP_ACT_ALLOW' };
  const odd: ((seccomp: Json) => void)[] = [
    (seccomp) => Object.assign(seccomp, { listenerPath: '/run/agent' }),
    (seccomp) => Object.assign(seccomp, { listenerMetadata: 'x' }),
    (seccomp) => Object.assign(seccomp, { other: 1 }),
    (seccomp) => Object.assign(seccomp, { flags: null }),
    (seccomp) => Object.assign(seccomp, { defaultAction: 'SCMP_ACT_NOTIFY' }),
    (seccomp) => Object.assign(seccomp, { defaultErrnoRet: 5000 }),
    (seccomp) => delete seccomp.syscalls,
    (seccomp) => seccomp.syscalls.push({ ...rule, errnoRet: 1 }),
    (seccomp) => seccomp.syscalls.push({ ...rule, names: 'read' }),
    (seccomp) => seccomp.syscalls.push({ ...rule, names: ['a\0'] }),
    (seccomp) => seccomp.syscalls.push({ ...rule, args: [{ index: 0, value: 2 ** 60, op: 'SCMP_CMP_EQ' }] }),
  ];
  assert.ok(assertHead(JSON.stringify(configWith(profile()))));
  for (const change of odd) {
    assert.is(head(change), undefined, String(change));
    const seccomp = profile();
    change(seccomp);
    assertHead(JSON.stringify(configWith(seccomp)));
  }
  const text = JSON.stringify(profile());
  const twice = text.replace('"defaultAction":', '"defaultAction":"SCMP_ACT_ALLOW","defaultAction":');
  assert.is(headOf(bytesOf(twice)), undefined);
});

test.run();
