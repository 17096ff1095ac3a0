import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { catalogue } from '../errors/catalogue.js';
import { type Failure, TsrunError } from '../errors/error.js';
import { renderLine } from '../errors/render.js';
import { parseProcess } from './process-document.js';
import { parseResources } from './resources-document.js';
import { loadBundleConfig, validateConfig } from './spec-document.js';
import { codesOf, config130, type Json, mutants, put, smallest } from './test-config.js';
import { makeFolder, removeTree, suiteWith } from '../test-fixtures.js';

const { tests, test } = suiteWith('load', {
  make: () => {
    const dir = makeFolder('load');
    return { dir, path: join(dir, 'config.json') };
  },
  remove: ({ dir }) => removeTree(dir),
});

function failureOf(action: () => unknown): Failure {
  try {
    action();
  } catch (error) {
    if (error instanceof TsrunError) return error.failure;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The line that a command prints about a config. */
function lineOf(path: string, config: Json): string {
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  return renderLine(
    'tsrun create web',
    failureOf(() => loadBundleConfig(path)),
  );
}

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

test('gives the spec, and warnings as data', ({ path }) => {
  writeFileSync(path, JSON.stringify({ ...config130(), lunix: {} }));
  const { spec, warnings } = loadBundleConfig(path);
  assert.is(spec.hostname, 'web');
  assert.equal(warnings, [
    {
      code: 'TSR_CONFIG_UNKNOWN_KEY',
      message: "unknown key 'lunix' is ignored",
      pointer: '/lunix',
      hint: "did you mean 'linux'?",
    },
  ]);
});

test('S47: an own key __proto__ is an unknown one like any other, and does not stay', ({ path }) => {
  const text = JSON.stringify(
    put(config130(), '/root', JSON.parse('{"path":"r","__proto__":{"readonly":true,"more":1}}')),
  );
  const value = JSON.parse(text) as Json;
  // The second has to be looked at once more, for a number of many digits.
  const loaded = [text, text.replace('"pids":{"limit":100}', '"pids":{"limit":9007199254740993}')];
  const found = loaded.map((one) => {
    writeFileSync(path, one);
    return loadBundleConfig(path);
  });
  for (const { spec } of found) assert.equal(Object.keys(spec.root), ['path']);
  for (const { warnings } of [...found, validateConfig(value)]) {
    const about = warnings.filter(({ pointer }) => pointer?.startsWith('/root'));
    const message = "unknown key '__proto__' is ignored";
    assert.equal(about, [{ code: 'TSR_CONFIG_UNKNOWN_KEY', message, pointer: '/root/__proto__' }]);
  }
  assert.equal(Object.keys(value.root), ['path']);
});

test('null at an optional key counts as a key that is not there, and is warned of; required keys need a value', ({
  path,
}) => {
  const nulls = [
    ...['/process/terminal', '/process/apparmorProfile', '/process/capabilities/ambient', '/hooks', '/annotations'],
    ...['/linux/resources/memory', '/linux/resources/cpu/shares', '/linux/seccomp', '/mounts/0/options'],
  ];
  for (const name of nulls) {
    const plain = put(config130(), name, undefined);
    for (const value of [
      put(config130(), name, null),
      put(put(config130(), name, null), '/linux/resources/rdma', null),
    ]) {
      writeFileSync(path, JSON.stringify(value));
      const { spec, warnings } = loadBundleConfig(path);
      assert.is(JSON.stringify(spec.process), JSON.stringify(plain.process), name);
      assert.equal(
        warnings.map(({ code }) => code),
        ['TSR_CONFIG_NULL'],
        'one for all of them',
      );
      assert.ok(`${warnings[0]?.pointer}, ${warnings[0]?.message}, `.includes(`${name}, `), name);
      assert.equal(codesOf(value), [], 'as a value');
    }
  }
  for (const name of [
    '/ociVersion',
    '/process/cwd',
    '/process/args',
    '/process/args/0',
    '/root/path',
    '/annotations/x',
  ])
    assert.ok(
      codesOf(put(config130(), name, null)).some((code) => code.endsWith(` ${name}`)),
      name,
    );
  // Both ways of reading say the same: a fraction leads to the exact one.
  writeFileSync(path, JSON.stringify({ ...put(config130(), '/hooks', null), other: 1.5 }));
  assert.equal(
    loadBundleConfig(path).warnings.map(({ code }) => code),
    ['TSR_CONFIG_NULL', 'TSR_CONFIG_UNKNOWN_KEY'],
  );
  assert.is(parseProcess(bytes({ ...config130().process, oomScoreAdj: null })).process.oomScoreAdj, undefined);
  assert.equal(parseResources(bytes({ memory: null, pids: { limit: null } })).resources, { pids: {} });
});

test('one line names the key, the value and what to do', ({ path }) => {
  const lines: readonly (readonly [Json, string])[] = [
    [
      put(config130(), '/process/cwd', 'tmp'),
      "process.cwd (/process/cwd): must be an absolute path, starting with '/', not 'tmp'",
    ],
    [
      put(smallest(), '/mounts', [{ destination: '/data', type: 'bind', source: '/a' }]),
      "mounts[0].options (/mounts/0/options): the mount on '/data' has type 'bind' but neither option 'bind' nor 'rbind'; add 'rbind'",
    ],
    [
      put(config130(), '/linux/namespaces/1/type', 'netwrk'),
      "linux.namespaces[1].type (/linux/namespaces/1/type): 'netwrk' is not known here; did you mean 'network'?",
    ],
    [
      put(config130(), '/linux/rootfsPropagation', 5),
      'linux.rootfsPropagation (/linux/rootfsPropagation): must be a string, not 5',
    ],
    [
      put(config130(), '/process/user/uid', '0'),
      "process.user.uid (/process/user/uid): must be an integer, not '0'; remove the quotes",
    ],
    [
      put(config130(), '/process/cwd', null),
      'process.cwd (/process/cwd): must be a string, not null; null stands for nothing only at optional keys',
    ],
    [
      put(config130(), '/hooks/poststop/0/timeout', 0),
      'hooks.poststop[0].timeout (/hooks/poststop/0/timeout): must be at least 1, not 0',
    ],
    [
      put(config130(), '/linux/timeOffsets/realtime', {}),
      "linux.timeOffsets.realtime (/linux/timeOffsets/realtime): unknown clock 'realtime'; the clocks are 'monotonic' and 'boottime'",
    ],
    ['null', 'the document must be an object, not null'],
  ];
  for (const [config, line] of lines) assert.is(lineOf(path, config), `tsrun create web: ${line}`);
});

test('a misspelt required key is recognised', ({ path }) => {
  const config = put(config130(), '/process/args', undefined);
  assert.is(
    lineOf(path, put(config, '/process/ARGS', ['sh'])),
    "tsrun create web: process.args (/process/args): the required key 'args' is missing; is 'ARGS' meant to be 'args'?",
  );
});

test('lists further faults in the hint, and counts what it does not list', ({ path }) => {
  const config = put(put(config130(), '/process/cwd', 'tmp'), '/hostname', 5);
  const line = lineOf(path, config);
  assert.is(
    line,
    "tsrun create web: process.cwd (/process/cwd): must be an absolute path, starting with '/', not 'tmp'; " +
      'also wrong: /hostname: must be a string, not 5',
  );
  const many = put(
    config130(),
    '/process/env',
    Array.from({ length: 9 }, () => 'x'),
  );
  const { message, hint } = failureOf(() => {
    writeFileSync(path, JSON.stringify(many));
    loadBundleConfig(path);
  });
  assert.is(message, "the entry has no '='");
  assert.match(hint ?? '', /also wrong: \/process\/env\/1: .*; 3 more$/);
});

test('never repeats what an environment holds', ({ path }) => {
  for (const secret of [['CANARY-1'], ['=CANARY-1'], 'CANARY-1', ['A=\ud800CANARY-1'], ['CANARY-1\0']]) {
    for (const pointer of ['/process/env', '/hooks/poststop/0/env']) {
      assert.not.match(lineOf(path, put(config130(), pointer, secret)), /CANARY/, `${pointer} ${secret}`);
    }
  }
});

test('reads a process from a path and from bytes', ({ path }) => {
  const { process } = config130();
  writeFileSync(path, JSON.stringify(process));
  assert.is(parseProcess(path).process.cwd, '/home');
  assert.is(parseProcess(bytes(process)).process.cwd, '/home');
  assert.is(failureOf(() => parseProcess(bytes({ ...process, cwd: 'x' }))).pointer, '/cwd');
  assert.is(failureOf(() => parseProcess(bytes({ ...process, args: [] }))).code, 'TSR_CONFIG_EMPTY');
  assert.match(
    failureOf(() => parseProcess(new Uint8Array([0x7b, 0xff]))).message,
    /^'process' is not UTF-8: byte 0xff at offset 1/,
  );
});

test('reads resources, 64-bit limits included', () => {
  const text = '{"memory":{"limit":9223372036854775807},"unified":{"memory.high":"max"}}';
  const { resources } = parseResources(new TextEncoder().encode(text));
  assert.is(resources.memory?.limit, 9223372036854775807n);
  assert.is(Object.getPrototypeOf(resources.unified), null);
  assert.match(failureOf(() => parseResources(bytes({ memory: 5 }))).message, /must be an object, not 5/);
  assert.match(
    failureOf(() => parseResources(new TextEncoder().encode('{"memory":{"limit":1},"memory":{}}'))).message,
    /comes twice/,
  );
});

/** Whatever is put anywhere, there is an answer with a pointer into the config or none, and no other exception. */
test('names of Object.prototype as values and keys anywhere are only data', () => {
  const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
  for (const name of ['__proto__', 'constructor']) {
    const config = config130();
    for (const [pointer] of mutants(config, [name, JSON.parse(`{"${name}":{"x":1}}`)])) {
      for (const { pointer: blamed = '' } of validateConfig(JSON.parse(JSON.stringify(config))).errors) {
        assert.ok(blamed.startsWith('/'), `${pointer} ${name}`);
      }
    }
  }
  assert.is(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), before);
  assert.is(({} as Json).x, undefined);
});

test('the sample bundles are valid', () => {
  for (const name of readdirSync('bundles')) {
    const path = join('bundles', name, 'config.json');
    if (!readdirSync('bundles', { withFileTypes: true }).some((entry) => entry.name === name && entry.isDirectory()))
      continue;
    assert.equal(loadBundleConfig(path).warnings, [], path);
  }
});

test('every code of this folder is in the catalogue', () => {
  const files = readdirSync('src/bundle').filter((file) => file.endsWith('.ts') && !file.includes('test'));
  const codes = new Set(
    files.flatMap((file) => readFileSync(join('src/bundle', file), 'utf8').match(/'TSR_[A-Z_]+'/g) ?? []),
  );
  assert.ok(codes.size > 15);
  for (const code of codes) assert.ok(catalogue.has(code.slice(1, -1)), code);
});

tests.run();
