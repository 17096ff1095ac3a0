/** The look at a config's bytes (src/engine/shape.c) beside the walk over its value (bundle/shape.ts): a yes is never wrong. Needs `npm run build`. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { config130, mutants } from '../../bundle/test-config.js';
import { folderFor, unless } from '../../test-fixtures.js';
import { needsEngine, programOf } from './test-program.js';

const ordinary = suite('ordinary documents');
const test = unless(ordinary, needsEngine);
const folder = folderFor(ordinary, 'ordinary');
const source = (name: string): string => JSON.stringify(resolve('src', name));

/** Says for each text of a file what the bytes and what the walk say: yes, no, doubt (of the bytes alone), or WRONG. */
const script = `
  import { readText, writeAll } from ${source('host/files.ts')}; import { exit } from ${source('host/process.ts')};
  import { commandLine } from ${source('host/arguments.ts')}; import { whenStarted } from ${source('host/start.ts')};
  import { carriedText } from ${source('tables/carried-text.ts')};
  import { specKind } from ${source('bundle/spec-document.ts')}; import { checkSource } from ${source('bundle/validate.ts')};
  const alone = { ...specKind, readOrdinary: () => undefined, runRules: () => undefined };
  const walk = (text: string) => { try { return checkSource({ name: '', text }, alone); } catch { return undefined; } };
  const judge = (text: string): string => {
    const bytes = new TextEncoder().encode(text);
    const value = specKind.readOrdinary({ name: '', text, bytes });
    if (value === undefined && !asksWhy) return 'no';
    const walked = walk(text);
    const fits = walked !== undefined && walked.errors.length === 0 && walked.warnings.length === 0;
    if (value === undefined) return fits ? 'doubt' : 'no';
    const free = (value as any).annotations === undefined || Object.getPrototypeOf((value as any).annotations) === null;
    const carried = (value as any).annotations && carriedText((value as any).annotations);
    const same = JSON.stringify(value) === JSON.stringify(walked!.value);
    if (!fits || !free || !same) return 'WRONG';
    return carried === undefined ? 'yes' : carried.every((byte: number) => byte >= 32) ? 'carried' : 'WRONG';
  };
  let asksWhy = true;
  whenStarted(() => { asksWhy = commandLine()[1] === 'why'; writeAll(1, (JSON.parse(readText(commandLine()[0]!)) as string[]).map(judge).join('\\n')); exit(0); });`;

let program: Promise<string> | undefined;
/** @param why tell doubts from what is wrong; that takes ten milliseconds each. */
async function judge(texts: readonly string[], why = true): Promise<string[]> {
  program ??= programOf(folder, script);
  const list = join(folder, 'texts.json');
  writeFileSync(list, JSON.stringify(texts));
  const { status, stdout, stderr } = spawnSync(await program, [list, why ? 'why' : ''], {
    encoding: 'utf8',
    argv0: 'tsrun:engine',
  });
  assert.is(status, 0, stderr);
  return stdout.split('\n');
}

test('what people write is ordinary', async () => {
  const names = readdirSync('bundles').filter((name) => !name.includes('.'));
  const texts = names.map((name) => readFileSync(join('bundles', name, 'config.json'), 'utf8'));
  assert.ok(texts.length > 5);
  assert.equal(
    await judge(texts),
    texts.map(() => 'yes'),
  );
});

/** A config with something in it. */
const withText = (text: string): string => `{"ociVersion":"1.0.2","root":{"path":"rootfs"}${text}}`;
const note = (key: string, value: string): string => withText(`,"annotations":{"a":"b",${key}:${value}}`);

test('each doubt (S47, and security.md section 4)', async () => {
  const rows: readonly (readonly [said: string, text: string])[] = [
    ['yes', withText('')],
    ['yes', ` {\t"root" :\r\n{ "path":"\\/rootfs","readonly" : true },"ociVersion":"1.0.2"} `],
    ['yes', note('"c"', '"\\ud83d\\ude00 \\n \\u00e9 é 😀 \\\\"')],
    ['yes', note('"__proto__"', '"x"')],
    ['yes', note('""', '""')],
    ['yes', withText(',"process":{"args":["x"],"cwd":"/","user":{"uid":0,"gid":0},"oomScoreAdj":-1000}')],
    ['yes', withText(',"linux":{"resources":{"devices":[{"allow":true,"access":"rwm"},{"allow":false,"major":-1}]}}')],
    // Too old for the bytes, and no fault.
    ['doubt', withText(',"linux":{"resources":{"hugepageLimits":[{"pageSize":"2MB","limit":1}]}}')],
    ['doubt', withText(',"process":{"args":["x"],"cwd":"\\/","user":{"uid":0,"gid":0}}')],
    ['doubt', withText(',"root\\u0041":1').replace('root\\u0041":1', '\\u0068ostname":"x"')],
    ['no', note('"a"', '"twice"')],
    ['no', note('"\\u0061"', '"twice"')],
    ['no', withText(',"root":{"path":"/"}')],
    ['no', withText(',"unknown":1')],
    ['no', withText(',"__proto__":{}')],
    ['no', withText(',"hostname":null')],
    ['no', note('"c"', '"\\u0000"')],
    ['no', note('"c"', '"\\ud83d"')],
    ['no', note('"c"', '"\\ud83dx"')],
    ['no', note('"c"', '"\\ud83d\\u0041"')],
    ['no', note('"c"', '"\\ude00"')],
    ['no', note('"c"', '"\\ud8"')],
    ['no', note('"c"', '"\\x"')],
    ['no', note('"c"', '"\t"')],
    ['no', note('"\\u0000"', '""')],
    ['no', note('"c"', '1')],
    ['no', `${note('"c"', '"d"')},`],
    ['no', `${note('"c"', '"d"')}{}`],
    ['no', note('"c"', '"d"').slice(0, -1)],
    ['no', note('"c"', '"d",')],
    ['no', note('"c"', '"d')],
    ['no', withText(',"annotations":{}').replace('{}', '{"a" "b"}')],
    ['no', withText(',"process":{"args":["x"],"cwd":"x","user":{"uid":0,"gid":0}}')],
    ['no', withText(',"process":{"args":["x"],"cwd":"/","user":{"uid":0}}')],
    ...[
      '1.5',
      '1e2',
      '01',
      '-',
      '--1',
      '',
      '1000000000000000000',
      '99999999999999999999',
      '"1"',
      'true',
      '4294967295',
    ].map(
      (number) => ['no', withText(`,"process":{"args":["x"],"cwd":"/","user":{"uid":${number},"gid":0}}`)] as const,
    ),
    ['no', withText(',"linux":{"resources":{"devices":[{"allow":true,"access":"rwmr"}]}}')],
    ['no', withText(',"linux":{"resources":{"devices":[{"allow":true,"access":""}]}}')],
    ['no', withText(',"linux":{"resources":{"devices":[{"allow":tru}]}}')],
    ['no', withText(',"linux":{"resources":{"devices":[,{"allow":true}]}}')],
    ['no', withText(',"linux":{"resources":{"devices":[{"allow":true},]}}')],
    ['no', withText(',"linux":{"namespaces":[{"type":"pidx"}]}')],
    ['no', withText(',"linux":{"namespaces":[{"type":"pi"}]}')],
    ['no', '[]'],
    ['no', '{'],
    ['no', ''],
    ['no', 'null'],
  ];
  const said = await judge(rows.map(([, text]) => text));
  for (const [i, [wanted, text]] of rows.entries()) assert.is(said[i], wanted, text);
});

/** Keys that one of 1,024 places is for: FNV-1a, as in the C. Their config has between 8 and 16 KiB. */
function colliding(count: number): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    let hash = 2166136261;
    for (const letter of `key${i}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619) >>> 0;
    if (((hash ^ (hash >>> 15)) & 1023) === 0) keys.push(`key${i}`);
  }
  return keys;
}

test('annotations of a large config are carried unread, unless somebody asks for one of them (S47)', async () => {
  const many = (count: number, text: string): string =>
    Array.from({ length: count }, (_, i) => `"org.example.${i}":"${text}"`).join(',');
  const long = many(300, 'some text that is not short at all');
  const notes = (rest: string): string => withText(`,"annotations" : {${long}${rest}},"hostname":"h"`);
  const rows: readonly (readonly [said: string, text: string])[] = [
    ['carried', notes('')],
    ['carried', notes(', "é😀" : "\\u00e9\\ud83d\\ude00\\n\\/"')],
    ['carried', notes(',"__proto__":"x","constructor":"y"')],
    ['carried', notes(',"io.tsru":""')],
    ['yes', notes(',"io.tsrun.record-seccomp":"x"')],
    ['yes', notes(',"run.oci.keep_original_groups":"1"')],
    ['yes', notes(',"org.criu.config":"/x"')],
    ['yes', notes(',"org.systemd.property.TasksMax":"1"')],
    ['yes', notes(',"org.opencontainers.image.stopSignal":"HUP"')],
    ['yes', notes(',"":"x"')],
    // Written with escapes, two may be the same.
    ['yes', notes(',"\\u0041":"x"')],
    // More than there is room for: one of 16 bytes.
    ['yes', withText(`,"annotations":{${Array.from({ length: 3000 }, (_, i) => `"${i}":""`).join(',')}}`)],
    // All in one place of the table that they are looked up in.
    [
      'yes',
      withText(
        `,"annotations":{${colliding(100)
          .map((key) => `"${key}":"${'x'.repeat(140)}"`)
          .join(',')}}`,
      ),
    ],
    [
      'carried',
      withText(
        `,"annotations":{${colliding(50)
          .map((key) => `"${key}":"${'x'.repeat(290)}"`)
          .join(',')}}`,
      ),
    ],
    ['no', notes(',"org.example.7":"twice"')],
    ['no', notes(',"a":"x","a":"x"')],
    ['no', notes(',"a":"\t"')],
    ['no', notes(',"a":"\\x"')],
    ['no', notes(',"a":"\\u12g4"')],
    ['no', notes(',"a":"\\ud800"')],
    ['no', notes(',"a":1')],
    ['no', notes(',')],
    ['no', notes(',"a":"b" "c":"d"')],
  ];
  const said = await judge(rows.map(([, text]) => text));
  for (const [i, [wanted, text]] of rows.entries()) assert.is(said[i], wanted, text.slice(-80));
});

test('a config with every key, each changed once', async () => {
  const config = config130();
  // Nothing with these is ever ordinary.
  for (const key of ['hugepageLimits', 'blockIO']) delete config.linux.resources[key];
  for (const key of ['solaris', 'windows', 'vm', 'zos', 'freebsd']) delete config[key];
  delete config.linux.intelRdt;
  const values = [
    undefined,
    null,
    true,
    0,
    -2,
    1.5,
    600,
    2 ** 32,
    2 ** 53 - 1,
    '',
    'x',
    '/x',
    'rwm',
    [],
    ['x'],
    {},
    { x: 1 },
  ];
  const made: string[] = [];
  for (const _ of mutants(config, values)) made.push(JSON.stringify(config));
  const said = await judge(made, false);
  const count = (word: string): number => said.filter((one) => one === word).length;
  assert.is(count('WRONG'), 0, made[said.indexOf('WRONG')]);
  assert.ok(count('yes') > 100 && count('no') > 1000, `${count('yes')} yes, ${count('no')} no`);
});

ordinary.run();
