/** Whether this kernel has a file system, or could load one. To ask it by fsopen(2) would load the module: nothing is made here. */
import type { Spec } from '../../bundle/types.js';
import { listDirectory, readTextIfExists, statIfExists } from '../../host/files.js';
import type { BundleFinding } from './report.js';

export interface KernelTypes {
  /** Of /proc/filesystems; empty: it cannot be read. */
  readonly listed: ReadonlySet<string>;
  /** Modules of file systems by the alias that the kernel asks for; undefined: it may load some, and who knows which. */
  readonly loadable: { readonly has: (alias: string) => boolean } | undefined;
}

/** Only these have subtypes: `fuse.sshfs` is a `fuse`. */
const withSubtype = new Set(['fuse', 'fuseblk']);

export function hasFileSystem({ listed, loadable }: KernelTypes, type: string): 'yes' | 'no' | 'module' | 'unknown' {
  if (listed.size === 0) return 'unknown';
  const base = type.split('.')[0] ?? '';
  if (base !== type && !withSubtype.has(base)) return 'no';
  if (listed.has(base)) return 'yes';
  if (loadable === undefined) return 'unknown';
  return loadable.has(`fs-${base}`) ? 'module' : 'no';
}

const nothing = new Set<string>();

/** A kernel without modules has no such file; one that is not to load any more has nobody to ask, or says so. */
function loadsNone(): boolean {
  const modprobe = readTextIfExists('/proc/sys/kernel/modprobe');
  if (modprobe === undefined) return statIfExists('/proc/sys/kernel') !== undefined;
  return modprobe.trim() === '' || readTextIfExists('/proc/sys/kernel/modules_disabled')?.trim() === '1';
}

/** What modprobe(8) goes by. In a container there may be none of it, and the kernel asks on the host. */
/** An ordinary user may not see all of it, and some of it is no file. */
function whatCanBeRead<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

function aliasTexts(): string[] | undefined {
  const release = readTextIfExists('/proc/sys/kernel/osrelease')?.trim() ?? '';
  const folder = ['/lib/modules', '/usr/lib/modules'].find((path) => statIfExists(`${path}/${release}/modules.alias`));
  if (folder === undefined) return undefined;
  const own = ['/etc/modprobe.d', '/run/modprobe.d', '/usr/lib/modprobe.d', '/lib/modprobe.d'].flatMap((path) =>
    whatCanBeRead(() => listDirectory(path), []).flatMap((name) =>
      name.endsWith('.conf') ? whatCanBeRead(() => readTextIfExists(`${path}/${name}`) ?? '', '') : [],
    ),
  );
  return [readTextIfExists(`${folder}/${release}/modules.alias`) ?? '', ...own];
}

function typesOfKernel(): KernelTypes {
  const lines = (readTextIfExists('/proc/filesystems') ?? '').split('\n');
  const listed = new Set(lines.map((line) => line.split('\t')[1] ?? '').filter(Boolean));
  if (loadsNone()) return { listed, loadable: nothing };
  const texts = aliasTexts();
  if (texts === undefined) return { listed, loadable: undefined };
  return { listed, loadable: { has: (alias) => texts.some((text) => text.includes(`alias ${alias} `)) } };
}

const means = {
  no: 'it is not in /proc/filesystems, and there is no module for it',
  module: 'the kernel has to load its module first',
  unknown: 'mounting it fails unless the kernel can load a module for it',
} as const;

export function fileSystemsLacking({ mounts = [] }: Spec): BundleFinding[] {
  let kernel: KernelTypes | undefined;
  return mounts.flatMap(({ type, options = [] }, index): BundleFinding[] => {
    if (!type || options.includes('bind') || options.includes('rbind') || ['bind', 'none', 'cgroup'].includes(type))
      return [];
    kernel ??= typesOfKernel();
    const answer = hasFileSystem(kernel, type);
    if (answer === 'yes' || (answer === 'unknown' && kernel.listed.size === 0)) return [];
    const message =
      answer === 'no'
        ? `this kernel has no file system '${type}'`
        : `the kernel does not list the file system '${type}'`;
    return [
      { kind: answer === 'no' ? 'missing' : 'warning', pointer: `/mounts/${index}/type`, message, why: means[answer] },
    ];
  });
}
