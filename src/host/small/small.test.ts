/** The small engine's host and Node's: the same questions, the same answers. Needs `npm run build`. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderFor, needsProgram, needsRoot, unless } from '../../test-fixtures.js';
import { needsEngine, programOf } from './test-program.js';

const small = suite('small engine');
const test = unless(small, needsEngine);
const folder = folderFor(small, 'small');

const environment = { PROBE: 'é', EMPTY: '', PATH: '/usr/bin:/bin', HOME: '/nowhere' };
const host = (name: string): string => JSON.stringify(resolve('src/host', name));

test('every promise of src/host is kept as under Node', async () => {
  const script = (begin: string): string =>
    `import { probe } from ${host('test-probes.ts')}; import { writeAll } from ${host('files.ts')}; import { exit } from ${host('process.ts')};
     import { commandLine } from ${host('arguments.ts')}; import { whenStarted } from ${host('start.ts')};
     ${begin}(() => { writeAll(1, probe(commandLine()[0] ?? '').join('\\n')); exit(0); });`;
  const program = await programOf(folder, script('whenStarted'));
  const underNode = resolve('dist/test/small-probes.mjs'); // where koffi is found
  const entry = join(folder, 'entry.ts');
  await build({
    entryPoints: [entry],
    outfile: underNode,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
  });
  const answers = [
    spawnSync(process.execPath, [underNode, made('node')], { encoding: 'utf8', env: environment }),
    spawnSync(program, [made('small')], { encoding: 'utf8', env: environment, argv0: 'tsrun:engine' }),
  ];
  for (const { status, stderr } of answers) assert.is(status, 0, stderr);
  const [node, engine] = answers.map(({ stdout }) => stdout.split('\n'));
  assert.ok(node!.length > 100);
  node!.forEach((line, index) => {
    assert.is(engine![index], line, `answer ${index}`);
  });
});

function made(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

const musl = `/lib/ld-musl-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1`;
const withMusl = unless(small, needsRoot ?? needsProgram ?? (existsSync(musl) ? undefined : 'needs musl'));

withMusl(
  'a host has musl and no glibc: the program runs, and libraries are asked for through its loader (needs root)',
  () => {
    const root = made('musl');
    for (const name of ['bin', 'lib', 'proc', 'sys', 'dev', 'bundle/rootfs'])
      mkdirSync(join(root, name), { recursive: true });
    copyFileSync('dist/tsrun', join(root, 'bin/tsrun'));
    copyFileSync(musl, join(root, musl));
    const config = JSON.parse(readFileSync('bundles/hello/config.json', 'utf8'));
    const tsrun = (...words: string[]) =>
      spawnSync(
        'unshare',
        [
          '-m',
          'sh',
          '-c',
          'mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev" && exec chroot "$@"',
          'sh',
          root,
          '/bin/tsrun',
          ...words,
        ],
        { encoding: 'utf8' },
      );
    assert.match(tsrun('--version').stdout, /^tsrun version/);
    writeFileSync(join(root, 'bundle/config.json'), JSON.stringify(config));
    const plain = tsrun('plan', '--bundle', '/bundle');
    assert.is(plain.status, 0, plain.stderr);
    config.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }],
    };
    writeFileSync(join(root, 'bundle/config.json'), JSON.stringify(config));
    // There is no libseccomp in here: musl's own words for that are the proof that its loader has answered.
    const { stderr } = tsrun('plan', '--bundle', '/bundle');
    assert.ok(/cannot load the library.*libseccomp.*Error loading shared library/.test(stderr), stderr);
  },
);

small.run();
