// npm run pack: the packages of npm, in dist/npm. One for each architecture holds the program alone; `tsrun` holds the library, the manual pages and a
// command that starts the program of this machine.
//   node src/build/pack.mjs [--only x64,arm64]      arm64 is cross-compiled with aarch64-linux-gnu-gcc
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const out = 'dist/npm';
const compilers = {
  x64: process.arch === 'x64' ? 'cc' : 'x86_64-linux-gnu-gcc',
  arm64: process.arch === 'arm64' ? 'cc' : 'aarch64-linux-gnu-gcc',
};
const wanted = process.argv.includes('--only')
  ? process.argv[process.argv.indexOf('--only') + 1].split(',')
  : ['x64', 'arm64'];
const own = JSON.parse(readFileSync('package.json', 'utf8'));
const { version, description, license, engines, exports } = own;

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status === 0) return stdout;
  console.error(`${command} ${args.join(' ')}: ${error?.message ?? stderr ?? status}`);
  process.exit(1);
}

function writePackage(folder, content) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ ...content, version, license, os: ['linux'] }, null, 2)}\n`,
  );
  copyFileSync('LICENSE', join(folder, 'LICENSE'));
}
const pack = (folder) =>
  join(out, run('npm', ['pack', '--silent', '--pack-destination', '..'], { cwd: folder }).trim());

function packProgram(cpu) {
  const folder = join(out, `linux-${cpu}`);
  writePackage(folder, {
    name: `@tsrun/linux-${cpu}`,
    description: `The program of tsrun for ${cpu}`,
    cpu: [cpu],
    files: ['tsrun'],
  });
  const program = join(folder, 'tsrun');
  if (cpu === process.arch) copyFileSync('dist/tsrun', program);
  else run(process.execPath, ['src/build/prepare.mjs', '--variant', program, '--cc', compilers[cpu]]);
  chmodSync(program, 0o755);
  return pack(folder);
}

function packLibrary() {
  const folder = join(out, 'tsrun');
  writePackage(folder, {
    name: own.name,
    description,
    type: 'module',
    engines,
    cpu: ['x64', 'arm64'],
    bin: { tsrun: 'bin/tsrun' },
    man: run('ls', ['docs/man'])
      .trim()
      .split('\n')
      .map((name) => `./man/${name}`),
    exports,
    files: ['bin', 'dist', 'man', 'schemas'],
    dependencies: own.dependencies,
    optionalDependencies: Object.fromEntries(['x64', 'arm64'].map((cpu) => [`@tsrun/linux-${cpu}`, version])),
  });
  const programs = new Set(['tsrun', 'npm', 'parts', 'cache', 'test', 'tools', 'build']);
  for (const name of readdirSync('dist').filter((one) => !programs.has(one) && !one.startsWith('parts.')))
    cpSync(join('dist', name), join(folder, 'dist', name), { recursive: true });
  cpSync('schemas', join(folder, 'schemas'), { recursive: true });
  cpSync('docs/man', join(folder, 'man'), { recursive: true });
  copyFileSync('README.md', join(folder, 'README.md'));
  mkdirSync(join(folder, 'bin'));
  copyFileSync('src/build/command.sh', join(folder, 'bin/tsrun'));
  chmodSync(join(folder, 'bin/tsrun'), 0o755);
  return pack(folder);
}

run(process.execPath, ['src/build/prepare.mjs', '--all']);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
for (const file of [...wanted.map(packProgram), packLibrary()]) console.log(file);
