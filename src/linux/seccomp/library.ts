/**
 * Where libseccomp is, found without loading it: the cache key needs the library's identity on the path where the
 * library itself is not needed. It is loaded by this absolute path, so what is named in the key is what compiles, and
 * no LD_LIBRARY_PATH steers it (security.md S46).
 */
import { statIfExists } from '../../host/files.js';
import { architecture } from '../../host/process.js';

export interface LibraryFile {
  /** Absolute path, or the bare soname where none of the usual folders has it. */
  readonly path: string;
  /** Changes when the file behind the path is another one. Numbers and text, so that one JSON.stringify formats them. */
  readonly identity: readonly (string | number)[];
}

const soname = 'libseccomp.so.2';

const multiarch: ReadonlyMap<string, string> = new Map([
  ['arm', 'arm-linux-gnueabihf'],
  ['arm64', 'aarch64-linux-gnu'],
  ['ia32', 'i386-linux-gnu'],
  ['loong64', 'loongarch64-linux-gnu'],
  ['ppc64', 'powerpc64le-linux-gnu'],
  ['riscv64', 'riscv64-linux-gnu'],
  ['s390x', 's390x-linux-gnu'],
  ['x64', 'x86_64-linux-gnu'],
]);

const folders = ['/usr/lib64', '/lib64', '/usr/lib', '/lib', '/usr/local/lib64', '/usr/local/lib'];

/** Debian's folder first, then the 64-bit one of other distributions, whose /usr/lib may hold 32-bit libraries. */
export function findLibseccomp(): LibraryFile {
  const triplet = multiarch.get(architecture());
  const debian = triplet === undefined ? undefined : libraryAt(`/usr/lib/${triplet}/${soname}`);
  if (debian) return debian;
  for (const folder of folders) {
    const found = libraryAt(`${folder}/${soname}`);
    if (found) return found;
  }
  // The loader's own search; its cache changes with every installation.
  return { path: soname, identity: libraryAt('/etc/ld.so.cache')?.identity ?? [] };
}

function libraryAt(path: string): LibraryFile | undefined {
  const file = statIfExists(path);
  if (file?.kind !== 'file') return undefined;
  return { path, identity: [path, file.dev, file.ino, file.size, file.mtimeMs] };
}
