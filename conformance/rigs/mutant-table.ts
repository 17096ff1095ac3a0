// The ways in which T-MUTANT breaks the executor, each with the test that must notice.
import type { Edit } from './mutant-build.js';

export interface Mutant {
  /** What the failing test's name contains. */
  readonly row: string;
  readonly what: string;
  readonly test: string;
  readonly edits: readonly Edit[];
}

const [plan, whole] = ['advisories.test', 'advisories-whole.test'];
const executor = 'executor.test';
const noRoot = [
  'kernel/resolve.c',
  '.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS',
  '.resolve = RESOLVE_NO_MAGICLINKS',
] as const;

export const mutants: readonly Mutant[] = [
  {
    row: 'CVE-2019-5736',
    what: 'the copy in memory is not sealed',
    test: executor,
    edits: [
      [
        'entry/main.c',
        'sealed = SYS(fcntl, copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);',
        'sealed = 0;',
      ],
      ['entry/main.c', 'return seals > 0 && (seals & all) == all;', 'return seals >= 0 && all;'],
    ],
  },
  {
    row: 'CVE-2019-5736',
    what: 'the part that goes inside runs from the disk, too',
    test: executor,
    edits: [['entry/main.c', 'return seals > 0 && (seals & all) == all;', 'return seals != 0 || all;']],
  },
  { row: 'CVE-2021-30465', what: 'paths are not resolved in the root', test: plan, edits: [noRoot] },
  { row: 'CVE-2026-41579', what: 'paths are not resolved in the root', test: plan, edits: [noRoot] },
  { row: 'CVE-2024-45310', what: 'paths are not resolved in the root', test: plan, edits: [noRoot] },
  { row: 'CVE-2019-18837', what: 'paths are not resolved in the root', test: executor, edits: [noRoot] },
  {
    row: 'CVE-2026-88264',
    what: 'paths are not resolved in the root, and the console follows links',
    test: plan,
    edits: [
      noRoot,
      [
        'ops/console.c',
        'make_target("/dev/console", 0, MOUNT_NO_TARGET_LINK | MOUNT_MADE_DIRECTLY)',
        'make_target("/dev/console", 0, 0)',
      ],
    ],
  },
  {
    row: 'CVE-2025-52565',
    what: 'the console follows links',
    test: plan,
    edits: [
      [
        'ops/console.c',
        'make_target("/dev/console", 0, MOUNT_NO_TARGET_LINK | MOUNT_MADE_DIRECTLY)',
        'make_target("/dev/console", 0, 0)',
      ],
    ],
  },
  {
    row: 'CVE-2025-52565 (S17): a ptmx',
    what: 'anything passes for a ptmx',
    test: plan,
    edits: [
      [
        'ops/console.c',
        'st.stx_rdev_major != 5 || st.stx_rdev_minor != 2)) result = -ENXIO;',
        '0) && 0) result = -ENXIO;',
      ],
      ['ops/console.c', 'return fs.type == DEVPTS_SUPER_MAGIC ? master : -ENXIO;', 'return master;'],
    ],
  },
  {
    row: 'CVE-2024-21626 (S18, S19)',
    what: 'the working directory is not looked at',
    test: plan,
    edits: [['ops/identity.c', "if (path[0] == '/') return 0;", 'return 0;']],
  },
  {
    row: 'CVE-2015-3627',
    what: 'descriptors are not closed',
    test: 'invariants-whole.test',
    edits: [
      ['entry/main.c', 'RAW(close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);', ''],
      ['ops/exec.c', 'long result = SYS(close_range, from, next == ~0u ? ~0u : next - 1, 0);', 'long result = 0;'],
    ],
  },
  {
    row: 'CVE-2025-31133',
    what: "the image's null device masks, whatever it is",
    test: plan,
    edits: [
      [
        'ops/protect.c',
        'TRY(check_null_device(G.null));',
        'if (!masked) G.null = (int)TRY(resolve("/dev/null", O_PATH, 0));',
      ],
    ],
  },
  {
    row: 'S10, S12',
    what: 'a mask is writable',
    test: executor,
    edits: [
      ['ops/protect.c', 'MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, 0)', 'MOUNT_ATTR_NOSUID, 0, 0)'],
    ],
  },
  {
    row: 'S10, S12',
    what: 'any null device counts as a mask',
    test: executor,
    edits: [
      [
        'ops/protect.c',
        'return (fs.flags & (ST_RDONLY | ST_NOSUID | ST_NOEXEC)) == (ST_RDONLY | ST_NOSUID | ST_NOEXEC);',
        'return 1;',
      ],
    ],
  },
  {
    row: 'CVE-2026-88265',
    what: "the image's null device replaces streams, whatever it is",
    test: plan,
    edits: [
      ['ops/console.c', 'sound = check_null_device(probe);', 'sound = 0;'],
      ['ops/console.c', 'if (!is_null_device(fd)) return RAW(close, fd), -ENODEV;', ''],
    ],
  },
  {
    row: 'CVE-2026-88265',
    what: 'the null device of the host is given away',
    test: plan,
    edits: [['ops/console.c', 'if (is_null_device(fd) || stat_fd(fd, &st) < 0', 'if (stat_fd(fd, &st) < 0']],
  },
  {
    row: 'CVE-2025-52881 (S07)',
    what: 'whatever is at /proc is taken for procfs',
    test: plan,
    edits: [
      ['kernel/resolve.c', 'int context = (int)SYS(fsopen, "proc", FSOPEN_CLOEXEC);', 'int context = -1;'],
      ['kernel/resolve.c', 'fs.type != PROC_SUPER_MAGIC || st.stx_ino != 1)', '0)'],
    ],
  },
  {
    row: 'CVE-2019-16884',
    what: 'anything may be mounted below /proc',
    test: executor,
    edits: [['kernel/resolve.c', 'if (fs.type == PROC_SUPER_MAGIC && !over) refused = EPERM;', '']],
  },
  {
    row: 'CVE-2019-19921',
    what: '/proc may be a symbolic link',
    test: executor,
    edits: [['kernel/resolve.c', 'u64 how = flags & MOUNT_STRICT ? RESOLVE_NO_SYMLINKS : 0', 'u64 how = 0']],
  },
  {
    row: 'CVE-2026-115521',
    what: "read-only goes through the container's /proc",
    test: plan,
    edits: [
      [
        'ops/root.c',
        'return (int)SYS(mount_setattr, self.root, "", AT_EMPTY_PATH, &attr, sizeof attr);',
        'RAW(mount_setattr, AT_FDCWD, "/proc/self/fd", 0, &attr, sizeof attr); return 0;',
      ],
    ],
  },
  {
    row: 'GHSA-3q8j',
    what: 'a read-only path is looked up twice',
    test: whole,
    edits: [
      [
        'ops/protect.c',
        'if (result >= 0) result = attach(clone, target);\n  if (clone >= 0) RAW(close, clone);\n  RAW(close, target);\n  return result;\n}\n',
        'target = resolve_protected(text(s, S_PATH_READONLY_path));\n  if (result >= 0) result = attach(clone, target);\n  return result;\n}\n',
      ],
    ],
  },
  {
    row: 'runc#1962',
    what: "the host's procfs stays",
    test: whole,
    edits: [['ops/root.c', 'TRY(hide_host_mounts());', '']],
  },
  {
    row: 'CVE-2015-8709',
    what: 'a process on its way in can be looked into',
    test: whole,
    edits: [
      [
        'ops/namespace.c',
        'TRY(result);\n  return (int)SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);',
        'TRY(result);\n  return (int)SYS(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);',
      ],
      [
        'walk/run.c',
        'if (!self.filtered) RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);',
        'if (!self.filtered) RAW(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);',
      ],
      [
        'ops/identity.c',
        'TRY(SYS(setresuid, uid, uid, uid));\n  return (int)SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);',
        'TRY(SYS(setresuid, uid, uid, uid));\n  return (int)SYS(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);',
      ],
    ],
  },
  {
    row: 'CVE-2016-9962',
    what: 'descriptors stay open until the program is executed',
    test: whole,
    edits: [['ops/exec.c', 'next == ~0u ? ~0u : next - 1, 0);', 'next == ~0u ? ~0u : next - 1, 4);']],
  },
  {
    row: 'CVE-2022-29162',
    what: 'permitted capabilities are inheritable, too',
    test: plan,
    edits: [
      [
        'ops/identity.c',
        '{{(u32)effective, (u32)permitted, (u32)inheritable}',
        '{{(u32)effective, (u32)permitted, (u32)permitted}',
      ],
    ],
  },
  {
    row: 'CVE-2021-43784',
    what: 'a plan may go on behind its end',
    test: executor,
    edits: [
      ['walk/plan.c', ' || h->total_length != size', ''],
      ['walk/plan.c', ' || h->notes_length != size - h->notes_offset', ''],
    ],
  },
  {
    row: 'S12, S13: what is protected in /proc',
    what: 'what is protected is looked up by name',
    test: 'invariants.test',
    edits: [
      [
        'ops/protect.c',
        'return (int)SYS(openat2, kernel_mounts[i].mount, path + length + 1, &how, sizeof how);',
        'continue;',
      ],
    ],
  },
  {
    row: 'S14',
    what: 'sources of binds are opened in the mount namespace of the host',
    test: 'invariants-whole.test',
    edits: [
      [
        'ops/bind.c',
        'G.pending = clone_inside(text(s, S_SOURCE_OPEN_path), flags);',
        'G.pending = -EINVAL, recursive = 0;',
      ],
    ],
  },
  {
    row: 'S51: a passwd that leads',
    what: 'files without a size are read',
    test: 'invariants.test',
    edits: [['ops/identity.c', ' && st->stx_size > 0;', ';']],
  },
  {
    row: 'S31',
    what: 'names may lead out of a cgroup',
    test: 'invariants.test',
    edits: [['kernel/file.c', 'if (dir != AT_FDCWD) how.resolve =', 'if (0) how.resolve =']],
  },
];
