// `npm start`: runs bundles/hello and says what the container saw and how long it took. Without root it runs the same
// bundle in a user namespace that maps only the caller's own uid, where the host allows that.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeRootfs, missingSources, prepareCopy } from '../../bundles/prepare.mjs';
import { commandLine } from './command-line.mjs';

const top = join(dirname(fileURLToPath(import.meta.url)), '../..');
const runtime = process.env.RUNTIME || join(top, 'dist/tsrun');
process.stdout.on('error', () => {}); // the reader has gone: `npm start | head`
const say = (text = '') => process.stdout.write(`${text}\n`);

/** True when this host lets this user make the namespaces hello needs. */
function canMakeNamespaces(asRoot) {
  const own = asRoot ? [] : ['--user', '--map-root-user'];
  const args = [...own, '--mount', '--pid', '--net', '--ipc', '--uts', '--fork', '--mount-proc', 'true'];
  const { status, error } = spawnSync('unshare', args, { stdio: 'ignore' });
  return error ? true : status === 0; // no unshare(1) here: let the runtime find out
}

/** The same bundle for a caller who is not root: a user namespace of one uid, nothing that needs a second one. */
function makeRootless(config) {
  config.linux.namespaces.push({ type: 'user' });
  config.linux.uidMappings = [{ containerID: 0, hostID: process.getuid(), size: 1 }];
  config.linux.gidMappings = [{ containerID: 0, hostID: process.getgid(), size: 1 }];
  for (const mount of config.mounts) {
    mount.options = mount.options?.filter((option) => !/^[ug]id=/.test(option));
  }
}

function prepare(asRoot, folder) {
  const inPlace = join(top, 'bundles/hello');
  const config = JSON.parse(readFileSync(join(inPlace, 'config.json'), 'utf8'));
  if (!asRoot) return prepareCopy('hello', folder, makeRootless);
  if (missingSources(config).length > 0) return prepareCopy('hello', folder);
  makeRootfs(inPlace, config);
  return inPlace;
}

function run(bundle, folder) {
  const id = `hello-${process.pid}`;
  const root = ['--root', join(folder, 'state')];
  const before = performance.now();
  const result = spawnSync(runtime, [...root, 'run', '--bundle', bundle, id], { encoding: 'utf8' });
  const milliseconds = performance.now() - before;
  if (result.status !== 0) spawnSync(runtime, [...root, 'delete', '--force', id], { stdio: 'ignore' });
  return { ...result, milliseconds };
}

function sayWhatItSaw(output) {
  for (const line of output.trimEnd().split('\n')) {
    const [, key, value] = line.match(/^(\w+): (.*)$/) ?? [];
    say(key ? `  ${key.padEnd(10)}${value}` : `  ${line}`);
  }
}

function main() {
  const asRoot = process.getuid() === 0;
  const missing = !process.env.RUNTIME && !existsSync(runtime);
  if (missing) {
    say(`${relative('.', runtime)} is not there; run: npm run build`);
    return 1;
  }
  if (!canMakeNamespaces(asRoot)) {
    say(
      asRoot
        ? 'Skipped: this is root, but without the right to make namespaces (an unprivileged container, perhaps).'
        : 'Skipped: this host does not let an ordinary user make namespaces. Containers need root here: sudo npm start',
    );
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-start-'));
  try {
    const bundle = prepare(asRoot, folder);
    const { status, signal, stdout, stderr, error, milliseconds } = run(bundle, folder);
    if (error || status !== 0) {
      say(`bundles/hello did not run: ${error?.message ?? (signal || `exit status ${status}`)}`);
      if (stdout || stderr) say(`${stdout}${stderr}`.trimEnd());
      return 1;
    }
    const again = run(bundle, folder).milliseconds;
    say(`bundles/hello ran in ${milliseconds.toFixed(0)} ms, and again in ${again.toFixed(0)} ms. The container saw:`);
    say();
    sayWhatItSaw(stdout);
    if (stderr) say(stderr.trimEnd());
    say();
    if (!bundle.startsWith(folder)) {
      say('By hand:');
      say(`  ${relative('.', runtime) || runtime} run --bundle ${relative('.', bundle)} hello`);
    } else if (!asRoot) {
      say(
        `You are not root: this was a user namespace that maps your uid ${process.getuid()} to root, without a cgroup.`,
      );
      say('What needs root: limits, other uids, device nodes, most of the sample bundles (sudo npm test).');
    }
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

commandLine({
  name: 'start',
  call: 'npm start --',
  about: 'Runs bundles/hello with dist/tsrun, or with $RUNTIME, and says what the container saw.',
});
process.exitCode = main();
