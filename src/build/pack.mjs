// npm run pack: the packages of npm, in dist/npm. One for each architecture holds the program alone; `tsrun` holds the library, the manual pages and a
// command that starts the program of this machine.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fs from 'fs-extra';
import { commandLine, option } from './command-line.mjs';

const out = 'dist/npm';
const compilers = {
  x64: process.arch === 'x64' ? 'cc' : 'x86_64-linux-gnu-gcc',
  arm64: process.arch === 'arm64' ? 'cc' : 'aarch64-linux-gnu-gcc',
};
const { only } = commandLine({
  name: 'pack',
  call: 'npm run pack --',
  about: "Makes the packages of npm in dist/npm. The other architecture's program is cross-compiled.",
  options: { only: option.list('programs of these architectures only', Object.keys(compilers)) },
});
const wanted = only.length > 0 ? only : Object.keys(compilers);
const own = fs.readJsonSync('package.json');
const { version, description, license, engines, exports } = own;

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status === 0) return stdout;
  console.error(`${command} ${args.join(' ')}: ${error?.message ?? stderr ?? status}`);
  process.exit(1);
}

function writePackage(folder, content) {
  fs.outputJsonSync(join(folder, 'package.json'), { ...content, version, license, os: ['linux'] }, { spaces: 2 });
  fs.copySync('LICENSE', join(folder, 'LICENSE'));
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
  if (cpu === process.arch) fs.copySync('dist/tsrun', program);
  else run(process.execPath, ['src/build/prepare.mjs', '--variant', program, '--cc', compilers[cpu]]);
  fs.chmodSync(program, 0o755);
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
  for (const name of fs.readdirSync('dist').filter((one) => !programs.has(one) && !one.startsWith('parts.')))
    fs.copySync(join('dist', name), join(folder, 'dist', name));
  fs.copySync('schemas', join(folder, 'schemas'));
  fs.copySync('docs/man', join(folder, 'man'));
  fs.copySync('README.md', join(folder, 'README.md'));
  fs.copySync('src/build/command.sh', join(folder, 'bin/tsrun'));
  fs.chmodSync(join(folder, 'bin/tsrun'), 0o755);
  return pack(folder);
}

run(process.execPath, ['src/build/prepare.mjs', '--all']);
fs.emptyDirSync(out);
for (const file of [...wanted.map(packProgram), packLibrary()]) console.log(file);
