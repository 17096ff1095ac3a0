// Makes the rootfs of sample bundles: empty directories to mount on, plus whatever lies in the bundle's `files`.
// Nothing is downloaded; programs come from the host's /usr, /bin and /lib*, bound read-only by config.json.
//
//   node bundles/prepare.mjs              every bundle, in place
//   node bundles/prepare.mjs hello        one bundle, in place
//   node bundles/prepare.mjs hello DIR    a copy in DIR, its config.json fitted to this host
//   node bundles/prepare.mjs --clean      removes what was prepared in place
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const generated = ['rootfs', 'lower', 'layers'];
const here = dirname(fileURLToPath(import.meta.url));

/** Names of all sample bundles. */
export const bundleNames = () => readdirSync(here).filter((name) => existsSync(join(here, name, 'config.json')));

const readConfig = (bundle) => JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));
const isMissingBind = (mount) => mount.type === 'bind' && mount.source.startsWith('/') && !existsSync(mount.source);

/** Host directories that the bundle binds and this host does not have (arm64 has no /lib64, for one). */
export const missingSources = (config) => config.mounts.filter(isMissingBind).map((mount) => mount.source);

/** Makes `rootfs` in the bundle; running it again changes nothing. Other uids may look in, as user namespaces need. */
export function makeRootfs(bundle, config = readConfig(bundle)) {
  const layered = existsSync(join(bundle, 'mount.sh')); // makes the rootfs from the layers
  const image = join(bundle, layered ? 'lower' : 'rootfs');
  mkdirSync(join(bundle, 'rootfs'), { recursive: true });
  for (const mount of config.mounts) {
    if (mount.destination.startsWith('/dev/') || mount.destination.startsWith('/sys/')) continue; // on a mount of its own
    mkdirSync(join(image, mount.destination), { recursive: true });
  }
  if (existsSync(join(bundle, 'files'))) cpSync(join(bundle, 'files'), image, { recursive: true });
  openToAll(image);
  return image;
}

/** a+rX, whatever umask this runs or the clone was made under. */
function openToAll(path) {
  const facts = lstatSync(path);
  if (facts.isSymbolicLink()) return;
  chmodSync(path, facts.isDirectory() ? 0o755 : 0o644);
  if (facts.isDirectory()) for (const name of readdirSync(path)) openToAll(join(path, name));
}

/**
 * Copies a bundle to `to`/NAME, drops the binds this host cannot serve, lets `edit` change the config, and makes
 * the rootfs. Returns the new bundle's path.
 */
export function prepareCopy(name, to, edit = () => {}) {
  const bundle = join(resolve(to), name);
  cpSync(join(here, name), bundle, {
    recursive: true,
    filter: (path) => !/\.(test\.ts|md)$/.test(path) && !generated.some((made) => path === join(here, name, made)),
  });
  const config = readConfig(bundle);
  config.mounts = config.mounts.filter((mount) => !isMissingBind(mount));
  edit(config);
  writeFileSync(join(bundle, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  makeRootfs(bundle, config);
  chmodSync(bundle, 0o755);
  return bundle;
}

/** Removes what `makeRootfs` and mount.sh made in place; refuses a bundle whose rootfs is still mounted. */
export function clean(bundle) {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4]);
  const mounted = mounts.find((point) => point?.startsWith(`${realpathSync(bundle)}/`));
  if (mounted) throw new Error(`'${mounted}' is mounted; first: umount ${mounted}`);
  for (const name of generated) rmSync(join(bundle, name), { recursive: true, force: true });
}

function prepareInPlace(name) {
  const bundle = join(here, name);
  makeRootfs(bundle);
  const missing = missingSources(readConfig(bundle));
  if (missing.length > 0) {
    console.log(`${name}: this host has no ${missing.join(', ')}; use a copy: node bundles/prepare.mjs ${name} DIR`);
  }
  if (existsSync(join(bundle, 'mount.sh'))) console.log(`${name}: to mount its rootfs: sh ${join(bundle, 'mount.sh')}`);
}

function main([first, to]) {
  const known = bundleNames();
  if (first === '--clean') {
    for (const name of known) clean(join(here, name));
  } else if (first !== undefined && !known.includes(first)) {
    throw new Error(`no bundle '${first}'; there are: ${known.join(', ')}`);
  } else if (to !== undefined) {
    console.log(prepareCopy(first, to));
  } else {
    for (const name of first === undefined ? known : [first]) prepareInPlace(name);
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(`prepare: ${error.message}`);
    process.exitCode = 1;
  }
}
