/**
 * linux.seccomp → a BPF program. libseccomp turns names and conditions into instructions; in front of them goes our
 * ENOSYS prefix (enosys.ts). Everything that must happen inside the container is the executor's one seccomp(2) call.
 *
 * Where the spec leaves room we do as runc does, since profiles are written against it: no `flags` means SPEC_ALLOW
 * (the speculation mitigation costs every process of the container), unknown call names are skipped (a profile serves
 * many kernels), a rule equal to the default action is skipped, conditions on one argument twice are alternatives,
 * and architectures that are not listed are killed. The host's own architecture is always in.
 */
import type { Seccomp, SeccompSyscall } from '../../bundle/types.js';
import { type Failure, fail } from '../../errors/error.js';
import { errnoName } from '../../tables/errnos.js';
import {
  type ActionRow,
  type ArchRow,
  newListenerFlag,
  seccompActions,
  seccompArchs,
  seccompFlags,
  seccompOperators,
  tsyncEsrchFlag,
} from '../../tables/seccomp.js';
import { allowedCalls, type JoinersCall } from './allowed-calls.js';
import { dataOffset, decodeInstructions, encodeInstructions, instructionSize, longestFilter, opcode } from './bpf.js';
import { type ArchAge, enosysPrefix, lastNamed, returnEnosys } from './enosys.js';
import { supportsFlag } from './kernel.js';
import { type Condition, type Filter, type FilterRule, type Libseccomp, openLibseccomp } from './libseccomp.js';

export interface CompiledSeccomp {
  /** struct sock_filter[], for seccomp(2). */
  readonly filter: Uint8Array;
  /** SECCOMP_FILTER_FLAG_*, with NEW_LISTENER where a rule notifies. */
  readonly flags: number;
  /** A rule notifies: seccomp(2) returns a descriptor that must reach `listenerPath`. */
  readonly listener: boolean;
  /** How many rules the profile has. */
  readonly rules: number;
  readonly allowed: readonly JoinersCall[];
}

const seccompPointer = '/linux/seccomp';

/** The row of a name. The schema knows the same names; this keeps a caller without it from worse than an error. */
function known<Row>(table: ReadonlyMap<string, Row>, name: string, code: string, key: () => string): Row {
  const row = table.get(name);
  if (row === undefined) {
    fail(code, `unknown seccomp name '${name}'`, { pointer: `${seccompPointer}${key()}` });
  }
  return row;
}

/** @param arch the architecture the container's programs are built for, e.g. `SCMP_ARCH_X86_64`. @throws TsrunError */
export function compileSeccomp(seccomp: Seccomp, arch: string): CompiledSeccomp {
  const own = known(seccompArchs, arch, 'TSR_SECCOMP_ARCH', () => '');
  const listener = (seccomp.syscalls ?? []).some((rule) => rule.action === 'SCMP_ACT_NOTIFY');
  const flags = filterFlags(seccomp, listener);

  const library = openLibseccomp();
  const defaultAction = actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet, () => '/defaultAction');
  const filter = library.createFilter(defaultAction);
  if (!filter) unsupportedAction(seccomp.defaultAction, '/defaultAction', library);
  try {
    const archs = addArchs(filter, seccomp, own, library);
    // As runc: many rules become a binary tree over the call numbers; a libseccomp before 2.5 has none.
    if ((seccomp.syscalls ?? []).length > 8) filter.setOptimisation(2);
    addRules(filter, seccomp.syscalls ?? [], defaultAction, library);
    const ages = needsPrefix(seccomp, defaultAction) ? archs.flatMap((row) => ageOn(row, seccomp, library)) : [];
    return {
      filter: join(ages, filter.export()),
      flags,
      listener,
      rules: (seccomp.syscalls ?? []).length,
      allowed: allowedCalls(seccomp),
    };
  } finally {
    filter.release();
  }
}

function filterFlags(seccomp: Seccomp, listener: boolean): number {
  let flags = listener ? newListenerFlag : 0;
  if (seccomp.flags === undefined) {
    const name = 'SECCOMP_FILTER_FLAG_SPEC_ALLOW';
    return flags | (supportsFlag(name) ? seccompFlags.get(name)! : 0);
  }
  seccomp.flags.forEach((name, index) => {
    const bit = known(seccompFlags, name, 'TSR_SECCOMP_FLAG', () => `/flags/${index}`);
    // Without a listener nobody waits, and the kernel takes the flag for a mistake.
    if (name === 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV' && !listener) return;
    if (!supportsFlag(name)) {
      const pointer = `${seccompPointer}/flags/${index}`;
      fail('TSR_SECCOMP_FLAG', `seccomp flag '${name}' is not supported by this kernel`, { pointer });
    }
    flags |= bit;
    // Both want seccomp(2)'s result for themselves; since Linux 5.7 this flag settles it.
    if (name === 'SECCOMP_FILTER_FLAG_TSYNC' && listener) flags |= tsyncEsrchFlag;
  });
  return flags;
}

const eperm = 1;

function actionValue(name: string, errno: number | undefined, key: () => string): number {
  const row = known(seccompActions, name, 'TSR_SECCOMP_ACTION', key);
  return row.errnoLimit === undefined ? row.value : row.value + (errno ?? eperm);
}

/** Adds the listed architectures and takes the host's out if it is not the one asked for. Returns what the filter covers. */
function addArchs(filter: Filter, seccomp: Seccomp, own: ArchRow, library: Libseccomp): ArchRow[] {
  const archs = new Set<ArchRow>();
  const add = (row: ArchRow, name: string, key: string) => {
    const status = filter.addArch(row.token);
    if (status < 0 && status !== alreadyThere) refusedArch(name, errnoName(-status), key, library);
    archs.add(row);
  };
  add(own, 'native', '');
  if (own.token !== library.nativeArch) filter.removeArch(library.nativeArch);
  (seccomp.architectures ?? []).forEach((name, index) => {
    const key = `/architectures/${index}`;
    add(
      known(seccompArchs, name, 'TSR_SECCOMP_ARCH', () => key),
      name,
      key,
    );
  });
  return [...archs];
}

const alreadyThere = -17;

function refusedArch(name: string, errno: string, key: string, library: Libseccomp): never {
  const reason = archFaults.get(errno);
  fail('TSR_SECCOMP_ARCH', `seccomp architecture '${name}' ${reason ?? 'cannot be added'}`, {
    pointer: `${seccompPointer}${key}`,
    ...(reason === undefined ? { errno } : {}),
    detail: `libseccomp ${library.version}`,
  });
}

const archFaults: ReadonlyMap<string, string> = new Map([
  ['EINVAL', 'is not supported by this libseccomp'],
  ['EDOM', 'has the other byte order than this machine'],
]);

/** A rule for one call, and where the profile has it. */
interface PlacedRule extends FilterRule {
  readonly place: number;
  readonly index: number;
  readonly name: string;
}

function addRules(filter: Filter, rules: readonly SeccompSyscall[], defaultAction: number, library: Libseccomp): void {
  const numbers = library.numbersHere(rules.flatMap(({ names }) => names));
  const wanted: PlacedRule[] = [];
  let at = 0;
  for (let place = 0; place < rules.length; place++) {
    const { names, args, action: actionName, errnoRet } = rules[place]!;
    const first = at;
    at += names.length;
    const action = actionValue(actionName, errnoRet, () => `/syscalls/${place}/action`);
    if (action === defaultAction) continue;
    const alternatives = args === undefined || args.length === 0 ? unconditional : conditionSets(args, place);
    for (let index = 0; index < names.length; index++) {
      const call = numbers[first + index];
      if (call === undefined) continue;
      for (const conditions of alternatives)
        wanted.push({ action, call, conditions, place, index, name: names[index]! });
    }
  }
  const ordered = inLibrarysOrder(wanted);
  const statuses = filter.addRules(ordered);
  let refused: number | undefined;
  for (let row = 0; row < statuses.length; row++) {
    if (statuses[row]! >= 0) continue;
    if (refused === undefined || isEarlier(ordered[row]!, ordered[refused]!)) refused = row;
  }
  if (refused === undefined) return;
  const { place, index, name } = ordered[refused]!;
  refusedRule(name, errnoName(-statuses[refused]!), `/syscalls/${place}/names/${index}`, rules[place]!, library);
}

const isEarlier = (one: PlacedRule, other: PlacedRule): boolean =>
  one.place < other.place || (one.place === other.place && one.index < other.index);

const mostRules = 2 ** 20;

/**
 * libseccomp keeps calls in a list by their number and looks for each from its begin: highest first, each is found at once, which is two
 * fifths of its time for a large profile. Rules for one call stay in the profile's order, and so do those for calls that are one call on other
 * architectures (socketcall, ipc), in case they have to do with each other.
 */
function inLibrarysOrder(rules: readonly PlacedRule[]): PlacedRule[] {
  const keys = new Float64Array(rules.length);
  for (let row = 0; row < rules.length; row++) {
    const { call, name } = rules[row]!;
    keys[row] = (multiplexed.has(name) ? 0 : mostRules - call) * mostRules + row;
  }
  return Array.from(keys.sort(), (key) => rules[key % mostRules]!);
}

const multiplexed: ReadonlySet<string> = new Set(
  `socketcall socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt
   sendmsg recvmsg accept4 recvmmsg sendmmsg ipc semop semget semctl semtimedop msgsnd msgrcv msgget msgctl shmat shmdt shmget shmctl`.split(
    /\s+/,
  ),
);

const unconditional: readonly (readonly Condition[])[] = [[]];

/** One list of conditions that must all hold, or, where an argument appears twice, one list for each condition. */
function conditionSets(args: NonNullable<SeccompSyscall['args']>, place: number): readonly (readonly Condition[])[] {
  const conditions = args.map(({ index, op, value, valueTwo = 0 }, position) => ({
    argument: index,
    operator: known(seccompOperators, op, 'TSR_SECCOMP_OPERATOR', () => `/syscalls/${place}/args/${position}/op`),
    datumA: value,
    datumB: valueTwo,
  }));
  if (conditions.length === 1) return [conditions];
  const distinct = new Set(conditions.map(({ argument }) => argument)).size;
  return distinct === conditions.length ? [conditions] : conditions.map((condition) => [condition]);
}

function refusedRule(name: string, errno: string, key: string, rule: SeccompSyscall, library: Libseccomp): never {
  const failure: Omit<Failure, 'code' | 'message'> = {
    pointer: `${seccompPointer}${key}`,
    errno,
    detail: `libseccomp ${library.version}`,
  };
  if (errno === 'EEXIST') {
    fail('TSR_SECCOMP_RULE', `the rule for '${name}' contradicts an earlier one with the same conditions`, failure);
  }
  if (errno === 'EOPNOTSUPP') unsupportedAction(rule.action, key, library);
  fail('TSR_SECCOMP_RULE', `libseccomp refuses the rule '${rule.action}' for '${name}'`, failure);
}

function unsupportedAction(action: string, key: string, library: Libseccomp): never {
  fail('TSR_SECCOMP_ACTION', `seccomp action '${action}' is not supported by this kernel or libseccomp`, {
    pointer: `${seccompPointer}${key}`,
    detail: `libseccomp ${library.version}`,
  });
}

/** Calls that are carried out, or shown to somebody who may know them, need no ENOSYS; nor does a default that says so already. */
function needsPrefix(seccomp: Seccomp, defaultAction: number): boolean {
  const row: ActionRow | undefined = seccompActions.get(seccomp.defaultAction);
  return !row?.lenient && defaultAction !== returnEnosys;
}

function ageOn(arch: ArchRow, seccomp: Seccomp, library: Libseccomp): ArchAge[] {
  const names = (seccomp.syscalls ?? []).flatMap((rule) => rule.names);
  const numbers = library.numbersOn(arch.token, names).map((number) => number ?? -1);
  const last = lastNamed(arch, numbers);
  return last === undefined ? [] : [{ arch, last }];
}

function join(ages: readonly ArchAge[], program: Uint8Array): Uint8Array {
  const [first] = decodeInstructions(program.subarray(0, instructionSize));
  // The prefix leaves another word in the accumulator, so the program must begin by loading its own.
  if (first?.code !== opcode.load || first.k !== dataOffset.arch) {
    fail('TSR_SECCOMP_LIBRARY', 'libseccomp made a filter that does not begin with the architecture');
  }
  const prefix = encodeInstructions(enosysPrefix(ages));
  const length = (prefix.length + program.length) / instructionSize;
  if (length > longestFilter) {
    fail('TSR_SECCOMP_TOO_LARGE', `the seccomp filter has ${length} instructions, the kernel takes ${longestFilter}`, {
      pointer: `${seccompPointer}/syscalls`,
    });
  }
  const joined = new Uint8Array(prefix.length + program.length);
  joined.set(prefix);
  joined.set(program, prefix.length);
  return joined;
}
