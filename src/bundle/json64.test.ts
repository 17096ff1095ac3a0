import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import { processorClock } from '../test-fixtures.js';
import { scanExactly } from './json64.js';
import { parseQuickly } from './parse.js';
import { config130, faultsOf, type Json, smallest } from './test-config.js';
import { specKind } from './spec-document.js';
import { checkSource } from './validate.js';

const wrap = (inner: string): string => `{"ociVersion":"1.0.2","root":{"path":"r"},${inner}}`;

function syntaxFault(text: string): string {
  try {
    scanExactly(text, 'it');
    return 'none';
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    return error.failure.message;
  }
}

function read(text: string): Json {
  const { errors, value } = checkSource({ name: 'config.json', text }, specKind);
  assert.equal(errors, []);
  return value;
}

const documents = [
  '{}',
  '[]',
  ' { "a" : [ 1 , -2 , 0.5e+3 , true , false , null , "x\\n\\u00e9\\"" , { } , [ ] ] } ',
  '"x"',
  '0',
  '-0',
  '[[],[[]]]',
  '{"":0}',
  '',
  ' ',
  '{',
  '[',
  '{"a"',
  '{"a":',
  '{"a":1',
  '{"a":1,',
  '{"a":1,}',
  '[1,]',
  '[,1]',
  '{,}',
  '{1:2}',
  "{'a':1}",
  '{"a" 1}',
  '{"a"::1}',
  '01',
  '-',
  '1.',
  '.5',
  '1e',
  '+1',
  '1_0',
  '0x1',
  'NaN',
  'Infinity',
  'tru',
  'truee',
  'nul',
  '"a',
  '"a\n"',
  '"\\x"',
  '"\\u12g4"',
  '"\t"',
  '{} {}',
  '{}x',
  '1 2',
  '// c\n{}',
  '{}// c',
  '/**/{}',
  '{"a":1 /* c */}',
  '[1 2]',
  '{"a":1 "b":2}',
  ']',
  '}',
  '[}',
  '{]',
  '\u00a0{}',
  '\ufeff{}',
];

test('agrees with JSON.parse on what JSON is', () => {
  for (const text of documents) {
    let valid = true;
    try {
      JSON.parse(text);
    } catch {
      valid = false;
    }
    assert.is(syntaxFault(text) === 'none', valid, JSON.stringify(text));
  }
});

test('agrees with JSON.parse on a config cut off or changed at any character', () => {
  const text = wrap('"annotations":{"a\\u0041":"\\"x","b":""},"process":{"args":["a"],"user":{"uid":10,"gid":-1}}');
  for (let at = 0; at < text.length; at++) {
    for (const changed of [
      text.slice(0, at),
      text.slice(0, at) + text.slice(at + 1),
      `${text.slice(0, at)}"${text.slice(at)}`,
    ]) {
      let valid = true;
      try {
        JSON.parse(changed);
      } catch {
        valid = false;
      }
      assert.is(syntaxFault(changed) === 'none', valid, changed);
    }
  }
});

test('says line, column and offset of the first fault', () => {
  assert.is(
    syntaxFault('{\n  "a": 1,\n}'),
    'it is not JSON: a key in double quotes was expected at line 3, column 1 (offset 12)',
  );
  assert.is(
    syntaxFault('{"a":1} x'),
    'it is not JSON: there is text after the end of the document at line 1, column 9 (offset 8)',
  );
  assert.match(syntaxFault('{"a":1}{"b":2}'), /there is text after the end/);
  assert.match(syntaxFault('{"a": // no\n1}'), /comments are not JSON at line 1, column 7/);
  assert.match(
    syntaxFault('{"a":"b'),
    /is cut off: it ends at line 1, column 8 \(offset 7\), where a string does not end/,
  );
  assert.match(syntaxFault('{"a":"b\u0000"}'), /a control character in a string/);
});

test('refuses nesting beyond 256 levels, however deep, and takes 256', () => {
  const nested = (depth: number) => wrap(`"x":${'['.repeat(depth)}${']'.repeat(depth)}`);
  assert.equal(faultsOf(nested(255)), []);
  for (const depth of [256, 5000, 100_000, 1_000_000]) {
    const spent = processorClock();
    assert.throws(
      () => faultsOf(nested(depth)),
      (error: TsrunError) => error.failure.code === 'TSR_CONFIG_DEPTH',
      String(depth),
    );
    assert.throws(
      () => faultsOf(`{"a":${'{"a":'.repeat(depth)}`),
      (error: TsrunError) => error.failure.code === 'TSR_CONFIG_DEPTH',
    );
    assert.ok(spent() < 5000, 'takes long');
  }
});

test('refuses a key that comes twice, wherever it is and however it is written', () => {
  const twice: readonly (readonly [string, string])[] = [
    ['"hostname":"","hostname":""', '/hostname'],
    ['"process":{"cwd":"/","args":["a"],"cwd":"/"}', '/process/cwd'],
    ['"annotations":{"a":"1","b":"","a":"1"}', '/annotations/a'],
    ['"hostname":"","host\\u006eame":""', '/hostname'],
    ['"hostname":"","hostname" :""', '/hostname'],
    ['"hostname" \n:"","hostname"\t:""', '/hostname'],
    ['"unknown":{"a":{"b":1,"b":1}}', '/unknown/a/b'],
    ['"unknown":[{},{"b":1,"b":1}]', '/unknown/1/b'],
    ['"mounts":[{"destination":"/a","destination":"/b","type":"tmpfs"}]', '/mounts/0/destination'],
    ['"windows":{"a":1,"a":1}', '/windows/a'],
    ['"annotations":{"__proto__":"1","__proto__":"2"}', '/annotations/__proto__'],
    ['"annotations":{":":"\\":","a":":","a":"x"}', '/annotations/a'],
    ['"annotations":{"\\\\":"","\\\\":""}', '/annotations/\\'],
    ['"annotations":{"1":"","1":""}', '/annotations/1'],
    // Here a count that misses one key would come out right.
    ['"annotations":{"a\\\\":"","b":"","b":""}', '/annotations/b'],
    ['"annotations" :{"b":"","b":""}', '/annotations/b'],
    ['"annotations"\n:{"b":"","b":""}', '/annotations/b'],
    ['"annotations"\r\n:{"b":"","b":""}', '/annotations/b'],
    ['"annotations"\t:{"b":"","b":""}', '/annotations/b'],
  ];
  for (const [inner, pointer] of twice) {
    const faults = faultsOf(wrap(inner));
    assert.equal(
      faults.map((fault) => [fault.code, fault.pointer]),
      [['TSR_CONFIG_DUPLICATE_KEY', pointer]],
      inner,
    );
  }
  assert.match(
    faultsOf(wrap('\n"hostname":"",\n"hostname":""'))[0]!.message,
    /'hostname' comes twice in one object, again at line 3, column 1/,
  );
});

test('takes the same key in different objects, and what only looks like a key', () => {
  for (const inner of [
    '"a":{"b":1},"c":{"b":1}',
    '"annotations":{"a":"\\"a\\":1,\\"a\\":2","b":"a\\\\","c":":"}',
    '"process":{"cwd":"/","args":["a",":b","\\":","\\\\\\":"]}',
    '"annotations":{"json":"{\\"a\\":1.5,\\"b\\":[1e3]}"}',
  ]) {
    assert.equal(faultsOf(wrap(inner)), [], inner);
  }
});

test('the quick reader is used for what engines write, JSON in annotations included', () => {
  for (const inner of [
    '"a":1',
    '"a":-5',
    '"a":[1,2]',
    '"annotations":{"json":"{\\"a\\":1.5}"}',
    '\n  "a": 123456789012345',
    '"a":1234567890123456',
    '"a":"x<\\u003c"',
    '"a":"while :; do sleep 1 :; done"',
  ]) {
    assert.ok(parseQuickly(wrap(inner)), inner);
  }
  for (const inner of [
    '"a":1e0',
    '"a":1.0',
    '"a":[1,2e1]',
    '"a": [ 5, 1.5]',

    '"a" :1',
    '"a"\n\t :1',
    '"a\\"" :1',
    '"a":"\\u0000"',
    '"a":"\\ud800"',
  ]) {
    assert.is(parseQuickly(wrap(inner)), undefined, inner);
  }
});

test('reads 64-bit integers exactly, as numbers while those are exact', () => {
  const spec = read(
    wrap(`"process":{"cwd":"/","args":["a"],"rlimits":[
      {"type":"RLIMIT_CORE","soft":9007199254740991,"hard":18446744073709551615},
      {"type":"RLIMIT_CPU","soft":9007199254740993,"hard":9007199254740994}]},
      "linux":{"resources":{"memory":{"limit":9223372036854775807,"swap":-1},"hugepageLimits":[{"pageSize":"2MB","limit":18446744073709551614}]},
      "seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","args":[{"index":0,"op":"SCMP_CMP_EQ","value":18446744073709551615,"valueTwo":4294967296}]}]}}`),
  );
  const [core, cpu] = spec.process.rlimits;
  assert.is(core.soft, 9007199254740991);
  assert.is(core.hard, 18446744073709551615n);
  assert.is(cpu.soft, 9007199254740993n);
  assert.is(cpu.hard, 9007199254740994n);
  assert.is(spec.linux.resources.memory.limit, 9223372036854775807n);
  assert.is(spec.linux.resources.memory.swap, -1);
  assert.is(spec.linux.resources.hugepageLimits[0].limit, 18446744073709551614n);
  assert.is(spec.linux.seccomp.syscalls[0].args[0].value, 18446744073709551615n);
  assert.is(spec.linux.seccomp.syscalls[0].args[0].valueTwo, 4294967296);
});

test('large integers keep their places whatever is around them', () => {
  const limits = (inner: string) =>
    read(wrap(`"annotations":{"2":"","1":"","a":""},"process":{"cwd":"/","args":["a"],"rlimits":[{${inner}}]}`)).process
      .rlimits[0];
  const soft = '"soft":18446744073709551613';
  const hard = '"hard":18446744073709551614';
  for (const inner of [
    `"type":"RLIMIT_CPU",${soft},${hard}`,
    `${soft},"type":"RLIMIT_CPU",${hard}`,
    `"type":"RLIMIT_CPU",${soft},"1":18446744073709551610,${hard}`,
    `${soft},"1":18446744073709551612,"type":"RLIMIT_CPU",${hard}`,
    `"type":"RLIMIT_CPU","x":{"y":18446744073709551610},${soft},"0":18446744073709551611,${hard},"1":18446744073709551612`,
  ]) {
    assert.is(limits(inner).soft, 18446744073709551613n, inner);
    assert.is(limits(inner).hard, 18446744073709551614n, inner);
  }
});

/** What is said of a number at a key of 64 and one of 32 bits. */
const limit = (text: string) => wrap(`"linux":{"resources":{"memory":{"limit":${text}}}}`);
const soft = (text: string) =>
  wrap(
    `"process":{"cwd":"/","args":["a"],"rlimits":[{"type":"RLIMIT_CORE","soft":${text},"hard":18446744073709551615}]}`,
  );
const uid = (text: string) => wrap(`"process":{"cwd":"/","args":["a"],"user":{"uid":${text},"gid":0}}`);

test('refuses integers one beyond 64 bits, which as doubles are equal to the bound', () => {
  const told = (text: string) => faultsOf(text).map(({ code, message }) => `${code} ${message}`);
  assert.equal(told(limit('9223372036854775808')), [
    'TSR_CONFIG_RANGE must be at most 9223372036854775807, not 9223372036854775808',
  ]);
  assert.equal(told(soft('18446744073709551616')), [
    'TSR_CONFIG_RANGE must be at most 18446744073709551615, not 18446744073709551616',
  ]);
  assert.equal(told(soft('-9007199254740993')), ['TSR_CONFIG_RANGE must be at least 0, not -9007199254740993']);
  assert.equal(told(uid('18446744073709551615')), [
    'TSR_CONFIG_RANGE must be at most 4294967294, not 18446744073709551615',
  ]);
  assert.equal(
    told(limit(`1${'0'.repeat(400)}`))[0]!.slice(0, 60),
    'TSR_CONFIG_RANGE must be at most 9223372036854775807, not 10',
  );
});

test('refuses numbers with a fraction or an exponent where an integer is wanted', () => {
  for (const text of ['1.5', '1.0', '1e0', '1E2', '1e400', '-1e-5', '0.0', '1e99999']) {
    for (const config of [
      uid(text),
      soft(text),
      limit(text),
      wrap(`"process":{"cwd":"/","args":["a"],"user":{"uid":0,"gid":0,"additionalGids":[1, ${text}]}}`),
    ]) {
      const faults = faultsOf(config);
      assert.equal(
        faults.map(({ code }) => code),
        ['TSR_CONFIG_INTEGER'],
        config,
      );
      assert.is(faults[0]!.message, `must be an integer without fraction and exponent, not ${text}`);
    }
  }
});

test('takes -0 as 0, and any number at an unknown key', () => {
  assert.ok(read(uid('-0')).process.user.uid === 0);
  assert.equal(faultsOf(wrap('"unknown":[1.5,1e400,18446744073709551616,{"a":-0.0}]')), []);
});

test('refuses wrong uids', () => {
  const codes: readonly (readonly [string, string])[] = [
    ['"0"', 'TSR_CONFIG_TYPE'],
    ['-1', 'TSR_CONFIG_RANGE'],
    ['4294967296', 'TSR_CONFIG_RANGE'],
    ['4294967295', 'TSR_CONFIG_RANGE'],
    ['null', 'TSR_CONFIG_TYPE'],
    ['true', 'TSR_CONFIG_TYPE'],
    ['[0]', 'TSR_CONFIG_TYPE'],
  ];
  for (const [text, code] of codes) {
    assert.equal(
      faultsOf(uid(text)).map((fault) => `${fault.code} ${fault.pointer}`),
      [`${code} /process/user/uid`],
      text,
    );
  }
  assert.equal(faultsOf(uid('4294967294')), []);
});

test('a document that is no object is refused in words', () => {
  const says = (text: string) => faultsOf(text).map(({ code, message, pointer }) => `${code} ${pointer}|${message}`);
  assert.equal(says('null'), ['TSR_CONFIG_TYPE |the document must be an object, not null']);
  assert.equal(says('[]'), ['TSR_CONFIG_TYPE |the document must be an object, not an array']);
  assert.equal(says('"x"'), ["TSR_CONFIG_TYPE |the document must be an object, not 'x'"]);
  assert.equal(says('5'), ['TSR_CONFIG_TYPE |the document must be an object, not 5']);
});

/** Numbers from 0 to below `limit`, always the same ones. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const pieces = [
  '"a":1',
  '"cwd":"/"',
  '1e0',
  '1.0',
  '-0',
  '18446744073709551615',
  '":"',
  '"\\\\"',
  '"\\":"',
  '"\\u0000"',
  '[1,2e0]',
  '{"x":1,"x":2}',
  '{}',
  ' ',
];

test('the quick way and the exact way say the same of configs changed at random', () => {
  const original = JSON.stringify(config130());
  const tokens = original.match(/"(?:[^"\\]|\\.)*"(?::)?|[{}[\],]|[^"{}[\],]+/g)!;
  assert.is(tokens.join(''), original);
  const random = randomNumbers(20261122);
  const verdicts = { syntax: 0, faults: 0, none: 0 };
  for (let round = 0; round < 3000; round++) {
    const changed = [...tokens];
    const at = random(changed.length);
    const from = random(changed.length);
    const action = random(4);
    if (action === 0) changed.splice(at, 0, ...changed.slice(from, from + 1 + random(4)));
    else if (action === 1) changed.splice(at, 1 + random(3));
    else if (action === 2) changed[at] = pieces[random(pieces.length)]!;
    else changed.splice(at, 0, pieces[random(pieces.length)]!, ',');
    const text = changed.join('');
    const says = (config: string): string[] => {
      try {
        return faultsOf(config).map(({ code, pointer }) => `${code} ${pointer}`);
      } catch (error) {
        return [(error as TsrunError).failure.code];
      }
    };
    const quick = says(text);
    // Space before a colon is what the quick reader never takes.
    assert.equal(quick, says(`{"x" :1,${text.slice(1)}`), text);
    verdicts[quick[0] === 'TSR_CONFIG_SYNTAX' ? 'syntax' : quick.length > 0 ? 'faults' : 'none'] += 1;
  }
  assert.ok(verdicts.syntax > 100 && verdicts.faults > 100 && verdicts.none > 100, JSON.stringify(verdicts));
});

test('agrees with JSON.parse and JSON.stringify on an ordinary config', () => {
  const text = JSON.stringify({ ...smallest(), annotations: { a: '\u2028 é 😀 \\ "' } });
  assert.is(JSON.stringify(read(text)), text);
});

test.run();
