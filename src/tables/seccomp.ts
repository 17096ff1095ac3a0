/**
 * The names of linux.seccomp and what libseccomp and the kernel call them. The compiler, the checks and `features`
 * read the same rows. Numbers are kernel ABI: linux/seccomp.h, linux/audit.h, elf-em.h.
 */

export interface ActionRow {
  /** SECCOMP_RET_* as libseccomp takes it. */
  readonly value: number;
  /** Highest `errnoRet` the action can carry; undefined where it carries none. */
  readonly errnoLimit?: number;
  /** As a default action, the call is carried out or handed to somebody who may do so: it never says "no such call". */
  readonly lenient?: boolean;
}

const actionRows: readonly (readonly [name: string, row: ActionRow])[] = [
  ['SCMP_ACT_ALLOW', { value: 0x7fff0000, lenient: true }],
  // The kernel's MAX_ERRNO is 4095; libseccomp wants less.
  ['SCMP_ACT_ERRNO', { value: 0x00050000, errnoLimit: 4094 }],
  // As in every runtime and the spec's 1.0, KILL means the thread.
  ['SCMP_ACT_KILL', { value: 0x00000000 }],
  ['SCMP_ACT_KILL_PROCESS', { value: 0x80000000 }],
  ['SCMP_ACT_KILL_THREAD', { value: 0x00000000 }],
  ['SCMP_ACT_LOG', { value: 0x7ffc0000, lenient: true }],
  ['SCMP_ACT_NOTIFY', { value: 0x7fc00000, lenient: true }],
  ['SCMP_ACT_TRACE', { value: 0x7ff00000, errnoLimit: 0xffff, lenient: true }],
  ['SCMP_ACT_TRAP', { value: 0x00030000 }],
];

const operatorRows: readonly (readonly [name: string, number: number])[] = [
  ['SCMP_CMP_EQ', 4],
  ['SCMP_CMP_GE', 5],
  ['SCMP_CMP_GT', 6],
  ['SCMP_CMP_LE', 3],
  ['SCMP_CMP_LT', 2],
  ['SCMP_CMP_MASKED_EQ', 7],
  ['SCMP_CMP_NE', 1],
];

export interface ArchRow {
  /** libseccomp's token. The same as `audit` but for x32, which shares the kernel's number with x86-64. */
  readonly token: number;
  /** AUDIT_ARCH_*, what the filter sees in seccomp_data.arch. */
  readonly audit: number;
  /** Numbers outside the ordinary count upwards: never taken as "the newest call" and never answered with ENOSYS. */
  readonly apart?: readonly [from: number, to: number];
  /** Number 0 is setup(2), which s390 kernels report for every call above 255 that they do not know (runc #3474). */
  readonly setupIsUnknown?: boolean;
}

const plain = (audit: number): ArchRow => ({ token: audit, audit });

const archRows: readonly (readonly [name: string, row: ArchRow])[] = [
  ['SCMP_ARCH_AARCH64', plain(0xc00000b7)],
  // __ARM_NR_breakpoint, cacheflush, set_tls and so on: a private range far above the table.
  ['SCMP_ARCH_ARM', { ...plain(0x40000028), apart: [0x000f0000, 0x000fffff] }],
  ['SCMP_ARCH_LOONGARCH64', plain(0xc0000102)],
  ['SCMP_ARCH_M68K', plain(0x00000004)],
  ['SCMP_ARCH_MIPS', plain(0x00000008)],
  ['SCMP_ARCH_MIPS64', plain(0x80000008)],
  ['SCMP_ARCH_MIPS64N32', plain(0xa0000008)],
  ['SCMP_ARCH_MIPSEL', plain(0x40000008)],
  ['SCMP_ARCH_MIPSEL64', plain(0xc0000008)],
  ['SCMP_ARCH_MIPSEL64N32', plain(0xe0000008)],
  ['SCMP_ARCH_PARISC', plain(0x0000000f)],
  ['SCMP_ARCH_PARISC64', plain(0x8000000f)],
  ['SCMP_ARCH_PPC', plain(0x00000014)],
  ['SCMP_ARCH_PPC64', plain(0x80000015)],
  ['SCMP_ARCH_PPC64LE', plain(0xc0000015)],
  ['SCMP_ARCH_RISCV64', plain(0xc00000f3)],
  ['SCMP_ARCH_S390', { ...plain(0x00000016), setupIsUnknown: true }],
  ['SCMP_ARCH_S390X', { ...plain(0x80000016), setupIsUnknown: true }],
  ['SCMP_ARCH_SH', plain(0x4000002a)],
  ['SCMP_ARCH_SHEB', plain(0x0000002a)],
  // 512 to 547 are x32's own variants of old calls; new calls do not go there (arch/x86/entry/syscalls/syscall_64.tbl).
  ['SCMP_ARCH_X32', { token: 0x4000003e, audit: 0xc000003e, apart: [0x40000200, 0x40000223] }],
  ['SCMP_ARCH_X86', plain(0x40000003)],
  ['SCMP_ARCH_X86_64', plain(0xc000003e)],
];

/** Set in the call number of an x32 call; its seccomp_data.arch is x86-64's. */
export const x32Bit = 0x40000000;

const flagRows: readonly (readonly [name: string, bit: number])[] = [
  ['SECCOMP_FILTER_FLAG_LOG', 0x02],
  ['SECCOMP_FILTER_FLAG_SPEC_ALLOW', 0x04],
  ['SECCOMP_FILTER_FLAG_TSYNC', 0x01],
  ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV', 0x20],
];

/** Flags of seccomp(2) that a config asks for by other means. */
export const newListenerFlag = 0x08;
export const tsyncEsrchFlag = 0x10;

export const seccompActions: ReadonlyMap<string, ActionRow> = new Map(actionRows);
export const seccompOperators: ReadonlyMap<string, number> = new Map(operatorRows);
export const seccompArchs: ReadonlyMap<string, ArchRow> = new Map(archRows);
export const seccompFlags: ReadonlyMap<string, number> = new Map(flagRows);

/** The host's own architecture in the spec's spelling, and its number of seccomp(2), by the engine's name of it. */
const hosts: ReadonlyMap<string, readonly [arch: string, seccompNumber: number]> = new Map([
  ['arm', ['SCMP_ARCH_ARM', 383]],
  ['arm64', ['SCMP_ARCH_AARCH64', 277]],
  ['ia32', ['SCMP_ARCH_X86', 354]],
  ['loong64', ['SCMP_ARCH_LOONGARCH64', 277]],
  ['ppc64', ['SCMP_ARCH_PPC64LE', 358]],
  ['riscv64', ['SCMP_ARCH_RISCV64', 277]],
  ['s390x', ['SCMP_ARCH_S390X', 348]],
  ['x64', ['SCMP_ARCH_X86_64', 317]],
]);

/** `SCMP_ARCH_X86_64` for `x64`; undefined for an engine architecture nobody ported. */
export const seccompArchOfHost = (engineArch: string): string | undefined => hosts.get(engineArch)?.[0];
export const seccompCallNumber = (engineArch: string): number | undefined => hosts.get(engineArch)?.[1];
