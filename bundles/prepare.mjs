// Makes the rootfs of sample bundles: empty directories to mount on, plus whatever lies in the bundle's `files`.
// Nothing is downloaded; programs come from the host's /usr, /bin and /lib*, bound read-only by config.json.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** People may meet this tool first, before any package is there. */
async function load(module) {
  try {
    return await import(module);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    console.error('prepare: the packages that it needs are not installed; first: npm run build');
    process.exit(1);
  }
}
const { default: fs } = await load('fs-extra');
const { commandLine, option } = await load('../src/build/command-line.mjs');

const generated = ['rootfs', 'lower', 'layers'];
const here = dirname(fileURLToPath(import.meta.url));

/** Names of all sample bundles. */
export const bundleNames = () => fs.readdirSync(here).filter((name) => fs.existsSync(join(here, name, 'config.json')));

const readConfig = (bundle) => fs.readJsonSync(join(bundle, 'config.json'));
const isMissingBind = (mount) => mount.type === 'bind' && mount.source.startsWith('/') && !fs.existsSync(mount.source);

/** Host directories that the bundle binds and this host does not have (arm64 has no /lib64, for one). */
export const missingSources = (config) => config.mounts.filter(isMissingBind).map((mount) => mount.source);

/** Makes `rootfs` in the bundle; running it again changes nothing. Other uids may look in, as user namespaces need. */
export function makeRootfs(bundle, config = readConfig(bundle)) {
  const layered = fs.existsSync(join(bundle, 'mount.sh')); // makes the rootfs from the layers
  const image = join(bundle, layered ? 'lower' : 'rootfs');
  fs.ensureDirSync(join(bundle, 'rootfs'));
  for (const mount of config.mounts) {
    if (mount.destination.startsWith('/dev/') || mount.destination.startsWith('/sys/')) continue; // on a mount of its own
    fs.ensureDirSync(join(image, mount.destination));
  }
  if (fs.existsSync(join(bundle, 'files'))) fs.copySync(join(bundle, 'files'), image);
  openToAll(image);
  return image;
}

/** a+rX, whatever umask this runs or the clone was made under. */
function openToAll(path) {
  const facts = fs.lstatSync(path);
  if (facts.isSymbolicLink()) return;
  fs.chmodSync(path, facts.isDirectory() ? 0o755 : 0o644);
  if (facts.isDirectory()) for (const name of fs.readdirSync(path)) openToAll(join(path, name));
}

/**
 * Copies a bundle to `to`/NAME, drops the binds this host cannot serve, lets `edit` change the config, and makes
 * the rootfs. Returns the new bundle's path.
 */
export function prepareCopy(name, to, edit = () => {}) {
  const bundle = join(resolve(to), name);
  fs.copySync(join(here, name), bundle, {
    filter: (path) => !/\.(test\.ts|md)$/.test(path) && !generated.some((made) => path === join(here, name, made)),
  });
  const config = readConfig(bundle);
  config.mounts = config.mounts.filter((mount) => !isMissingBind(mount));
  edit(config);
  fs.writeJsonSync(join(bundle, 'config.json'), config, { spaces: 2 });
  makeRootfs(bundle, config);
  fs.chmodSync(bundle, 0o755);
  return bundle;
}

/** Removes what `makeRootfs` and mount.sh made in place; refuses a bundle whose rootfs is still mounted. */
export function clean(bundle) {
  const mounts = fs
    .readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4]);
  const mounted = mounts.find((point) => point?.startsWith(`${fs.realpathSync(bundle)}/`));
  if (mounted) throw new Error(`'${mounted}' is mounted; first: umount ${mounted}`);
  for (const name of generated) fs.removeSync(join(bundle, name));
}

function prepareInPlace(name) {
  const bundle = join(here, name);
  makeRootfs(bundle);
  const missing = missingSources(readConfig(bundle));
  if (missing.length > 0) {
    console.log(`${name}: this host has no ${missing.join(', ')}; use a copy: node bundles/prepare.mjs ${name} DIR`);
  }
  if (fs.existsSync(join(bundle, 'mount.sh')))
    console.log(`${name}: to mount its rootfs: sh ${join(bundle, 'mount.sh')}`);
}

function main() {
  const known = bundleNames();
  const given = commandLine({
    name: 'prepare',
    call: 'node bundles/prepare.mjs',
    about: 'Makes the roots of the sample bundles, in place or in a copy.',
    positionals: {
      bundle: { description: `one only: ${known.join(', ')}` },
      folder: { description: 'makes a copy there, its config.json fitted to this host' },
    },
    options: { clean: option.flag('removes what was prepared in place') },
  });
  if (given.bundle !== undefined && !known.includes(given.bundle))
    throw new Error(`no bundle '${given.bundle}'; there are: ${known.join(', ')}`);
  const names = given.bundle === undefined ? known : [given.bundle];
  if (given.clean) for (const name of names) clean(join(here, name));
  else if (given.folder !== undefined) console.log(prepareCopy(given.bundle, given.folder));
  else for (const name of names) prepareInPlace(name);
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    console.error(`prepare: ${error.message}`);
    process.exitCode = 1;
  }
}
