/** libseccomp's C interface, as far as we use it. Loaded by a compilation, never by a cached filter. */
import { fail } from '../../errors/error.js';
import { lastErrno, type NativeLibrary, openLibrary, type Places, type Pointer, readWords } from '../../host/ffi.js';
import { errnoName } from '../../tables/errnos.js';
import { findLibseccomp } from './library.js';

/** One condition, as `struct scmp_arg_cmp` has it. */
export interface Condition {
  readonly argument: number;
  readonly operator: number;
  readonly datumA: number | bigint;
  readonly datumB: number | bigint;
}

export interface FilterRule {
  readonly action: number;
  readonly call: number;
  readonly conditions: readonly Condition[];
}

/** A filter in the making. Results of the methods are 0 or a negative errno. */
export interface Filter {
  addArch(token: number): number;
  removeArch(token: number): number;
  setOptimisation(level: number): number;
  /** In this order; a result each. */
  addRules(rules: readonly FilterRule[]): number[];
  /** The program as struct sock_filter[]. */
  export(): Uint8Array;
  release(): void;
}

export interface Libseccomp {
  readonly version: string;
  readonly nativeArch: number;
  /** undefined when libseccomp or the kernel does not know the action. */
  createFilter(defaultAction: number): Filter | undefined;
  /** The calls' numbers here, negative for those that only other architectures have, undefined for those that nobody knows. */
  numbersHere(names: readonly string[]): (number | undefined)[];
  numbersOn(arch: number, names: readonly string[]): (number | undefined)[];
  nameOf(arch: number, number: number): string | undefined;
}

/** SCMP_FLTATR_CTL_OPTIMIZE, of libseccomp 2.5. */
const optimiseAttribute = 8;
const unknownCall = -1;
const conditionSize = 24;

let opened: Libseccomp | undefined;

export function openLibseccomp(): Libseccomp {
  opened ??= bindLibrary(openLibrary(findLibseccomp().path));
  return opened;
}

function bindLibrary(library: NativeLibrary): Libseccomp {
  const create = library.bind<Pointer>('seccomp_init', 'void *', ['uint32_t']);
  const nameHere = library.bindEach('seccomp_syscall_resolve_name', ['str'], 0);
  const nameOn = library.bindEach('seccomp_syscall_resolve_name_arch', ['uint32_t', 'str'], 1);
  return {
    version: versionOf(library),
    nativeArch: library.bind<number>('seccomp_arch_native', 'uint32_t', [])(),
    createFilter(defaultAction) {
      const context = create(defaultAction);
      return context === null ? undefined : bindFilter(library, context);
    },
    numbersHere: (names) => numbersOf(names, (list) => nameHere([0], list)),
    nameOf: (arch, number) => callName(library, arch, number),
    numbersOn: (arch, names) => numbersOf(names, (list) => nameOn([arch, 0], list)),
  };
}

/** A NUL would end a name for C, and 'write\0x' be taken for write. */
function numbersOf(names: readonly string[], resolve: (names: readonly string[]) => number[]): (number | undefined)[] {
  const numbers = resolve(names.map((name) => (name.includes('\0') ? '' : name)));
  return numbers.map((number) => (number === unknownCall ? undefined : number));
}

/** libseccomp allocates the text; whoever asks for names ends soon. */
function callName(library: NativeLibrary, arch: number, number: number): string | undefined {
  const name = library.bind<Pointer>('seccomp_syscall_resolve_num_arch', 'void *', ['uint32_t', 'int'])(arch, number);
  if (name === null) return undefined;
  const length = Number(openLibrary(null).bind<number>('strlen', 'size_t', ['void *'])(name));
  // malloc's pieces are multiples of a word.
  const words = Uint32Array.from(readWords(name, (length + 3) >> 2));
  return String.fromCharCode(...new Uint8Array(words.buffer, 0, length));
}

/** `2.5.4`. struct scmp_version is three unsigned ints. */
function versionOf(library: NativeLibrary): string {
  return readWords(library.bind<Pointer>('seccomp_version', 'void *', [])(), 3).join('.');
}

function bindFilter(library: NativeLibrary, context: Pointer): Filter {
  const arch = (name: string) => library.bind<number>(name, 'int', ['void *', 'uint32_t']);
  const setAttribute = library.bind<number>('seccomp_attr_set', 'int', ['void *', 'int', 'uint32_t']);
  const types = ['void *', 'uint32_t', 'int', 'uint32_t', 'void *'];
  const addRows = library.bindRows('seccomp_rule_add_array', types);
  return {
    addArch: (token) => arch('seccomp_arch_add')(context, token),
    removeArch: (token) => arch('seccomp_arch_remove')(context, token),
    setOptimisation: (level) => setAttribute(context, optimiseAttribute, level),
    addRules: (rules) => {
      const { bytes, places } = encodeConditions(rules);
      const column = (of: (rule: FilterRule) => number): number[] => rules.map(of);
      return addRows([
        context,
        column(({ action }) => action),
        column(({ call }) => call),
        column(({ conditions }) => conditions.length),
        { bytes, places },
      ]);
    },
    export: () => exportProgram(library, context),
    release: () => {
      library.bind<undefined>('seccomp_release', 'void', ['void *'])(context);
    },
  };
}

/** struct scmp_arg_cmp { unsigned int arg; enum op; uint64_t a, b } each, and where those of each rule begin; all 64 bits survive. */
function encodeConditions(rules: readonly FilterRule[]): Places {
  const begins = new Map<readonly Condition[], number>();
  let size = 0;
  const places = rules.map(({ conditions }) => {
    if (conditions.length === 0) return -1;
    const known = begins.get(conditions);
    if (known !== undefined) return known;
    const begin = size;
    begins.set(conditions, begin);
    size += conditions.length * conditionSize;
    return begin;
  });
  const words = new Uint32Array(size / 4);
  for (const [conditions, begin] of begins) {
    let at = begin / 4;
    for (const { argument, operator, datumA, datumB } of conditions) {
      words[at] = argument;
      words[at + 1] = operator;
      putLong(words, at + 2, datumA);
      putLong(words, at + 4, datumB);
      at += conditionSize / 4;
    }
  }
  return { bytes: new Uint8Array(words.buffer), places };
}

const wordRange = 2 ** 32;
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A number of 64 bits, in the order of this machine. */
function putLong(words: Uint32Array, at: number, value: number | bigint): void {
  const low = typeof value === 'number' ? value % wordRange : Number(value & 0xffffffffn);
  const high = typeof value === 'number' ? Math.floor(value / wordRange) : Number(value >> 32n);
  words[at] = isLittleEndian ? low : high;
  words[at + 1] = isLittleEndian ? high : low;
}

/** More than the kernel takes: BPF_MAXINSNS is 4096, of 8 bytes. */
const longestProgram = 1 << 20;

/**
 * The program goes through a memfd: libseccomp 2.5 can only write it to a descriptor, and a pipe may be as small as
 * one page (security.md R28) with nobody to read it meanwhile. The descriptor is one of whoever has loaded the library.
 */
function exportProgram(library: NativeLibrary, context: Pointer): Uint8Array {
  const closeOnExec = 1;
  const libc = openLibrary(null);
  const fd = libc.bind<number>('memfd_create', 'int', ['str', 'uint32_t'])('tsrun-seccomp', closeOnExec);
  if (fd < 0) {
    const errno = errnoName(lastErrno());
    fail('TSR_SECCOMP_LIBRARY', 'cannot make a memory file for the seccomp filter', { syscall: 'memfd_create', errno });
  }
  try {
    const status = library.bind<number>('seccomp_export_bpf', 'int', ['void *', 'int'])(context, fd);
    if (status < 0) {
      fail('TSR_SECCOMP_LIBRARY', 'libseccomp cannot generate the filter', { errno: errnoName(-status) });
    }
    const size = Number(libc.bind<number>('lseek', 'long', ['int', 'long', 'int'])(fd, 0, 2 /* SEEK_END */));
    const program = new Uint8Array(Math.min(Math.max(size, 0), longestProgram));
    const got = libc.bind<number>('pread', 'long', ['int', 'void *', 'size_t', 'long'])(fd, program, program.length, 0);
    if (got !== program.length) fail('TSR_SECCOMP_LIBRARY', 'the seccomp filter cannot be read back');
    return program;
  } finally {
    libc.bind<number>('close', 'int', ['int'])(fd);
  }
}
