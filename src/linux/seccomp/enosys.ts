/**
 * The ENOSYS prefix. A profile that denies by default answers EPERM also to calls younger than itself, and a C library
 * that probes for a new call falls back only on ENOSYS (runc #2151). The profile says nothing about calls it has never
 * heard of, so we take the highest number it names on an architecture as its age, and answer everything above with
 * ENOSYS before libseccomp's filter has its say. A call between, that the profile merely leaves out, stays denied.
 *
 * libseccomp cannot express "greater than this number", hence our own instructions in front of its program. They fall
 * through to it in every other case, so an architecture without named calls, or a foreign one, is libseccomp's matter.
 *
 *        ld  arch
 *   per architecture:
 *        jeq AUDIT_ARCH, .., next
 *        ld  nr
 *        [jeq 0, enosys]                        s390: setup(2) stands for every unknown call
 *        [jset 0x40000000, x32, x86-64]         x86-64: two number ranges share one AUDIT_ARCH
 *        jgt last, .., pass
 *        [jgt apart.to, enosys; jge apart.from, pass]
 *      enosys: ret ERRNO(ENOSYS)
 *      pass:   ja  libseccomp's first instruction
 */
import { type ArchRow, x32Bit } from '../../tables/seccomp.js';
import { dataOffset, type Instruction, opcode } from './bpf.js';

/** SECCOMP_RET_ERRNO with ENOSYS. */
export const returnEnosys = 0x00050000 | 38;

/** An architecture of the filter and the highest ordinary call number the profile names there. */
export interface ArchAge {
  readonly arch: ArchRow;
  readonly last: number;
}

/** The highest number that counts, or undefined when the profile names no call of this architecture. */
export function lastNamed(arch: ArchRow, numbers: readonly number[]): number | undefined {
  let last: number | undefined;
  for (const number of numbers) {
    if (number < 0 || isApart(arch, number)) continue;
    if (last === undefined || number > last) last = number;
  }
  return last;
}

const isApart = ({ apart }: ArchRow, number: number): boolean =>
  apart !== undefined && number >= apart[0] && number <= apart[1];

/** The instructions to put in front of libseccomp's. They end by falling through. */
export function enosysPrefix(ages: readonly ArchAge[]): Instruction[] {
  if (ages.length === 0) return [];
  const byAudit = new Map<number, ArchAge[]>();
  for (const age of ages) byAudit.set(age.arch.audit, [...(byAudit.get(age.arch.audit) ?? []), age]);
  const blocks = [...byAudit].map(([audit, members]) => ({ audit, body: archBody(members) }));

  // Each block ends in a jump over all later ones.
  const prefix: Instruction[] = [{ code: opcode.load, jt: 0, jf: 0, k: dataOffset.arch }];
  let rest = blocks.reduce((sum, block) => sum + block.body.length + 2, 0);
  for (const { audit, body } of blocks) {
    rest -= body.length + 2;
    prefix.push({ code: opcode.jumpEqual, jt: 0, jf: body.length + 1, k: audit });
    prefix.push(...body, { code: opcode.jumpAlways, jt: 0, jf: 0, k: rest });
  }
  return prefix;
}

/** Instructions of one AUDIT_ARCH; control leaves at the end (pass) or by the return. */
function archBody(members: readonly ArchAge[]): Instruction[] {
  const lines: Line[] = [{ code: opcode.load, k: dataOffset.nr }];
  const isX32 = ({ arch }: ArchAge) => arch.token !== arch.audit;
  const x32 = members.find(isX32);
  const ordinary = members.find((member) => !isX32(member));
  if (members[0]?.arch.setupIsUnknown) lines.push({ code: opcode.jumpEqual, k: 0, yes: 'enosys' });
  if (sharesAudit(members[0])) {
    lines.push({ code: opcode.jumpBitsSet, k: x32Bit, yes: x32 ? 'x32' : 'pass', no: ordinary ? 'next' : 'pass' });
  }
  if (ordinary) lines.push(...ageTest(ordinary));
  if (x32) lines.push(...ageTest(x32, 'x32'));
  lines.push({ label: 'enosys', code: opcode.return, k: returnEnosys });
  return resolve(lines);
}

/** x86-64 without x32 in the profile: numbers with the x32 bit stay libseccomp's, which kills the caller. */
const sharesAudit = (member: ArchAge | undefined): boolean => member?.arch.audit === 0xc000003e;

function ageTest({ arch, last }: ArchAge, label?: Label): Line[] {
  const head = label === undefined ? {} : { label };
  if (!arch.apart) return [{ ...head, code: opcode.jumpGreater, k: last, yes: 'enosys', no: 'pass' }];
  return [
    { ...head, code: opcode.jumpGreater, k: last, no: 'pass' },
    { code: opcode.jumpGreater, k: arch.apart[1], yes: 'enosys' },
    { code: opcode.jumpGreaterEqual, k: arch.apart[0], yes: 'pass', no: 'enosys' },
  ];
}

type Label = 'enosys' | 'x32';

interface Line {
  readonly label?: Label;
  readonly code: number;
  readonly k: number;
  /** Where a jump goes; `next` when absent, `pass` is the end. */
  readonly yes?: Label | 'next' | 'pass';
  readonly no?: Label | 'next' | 'pass';
}

function resolve(lines: readonly Line[]): Instruction[] {
  const offset = (from: number, target: Line['yes']): number => {
    if (target === undefined || target === 'next') return 0;
    const to = target === 'pass' ? lines.length : lines.findIndex((line) => line.label === target);
    return to - from - 1;
  };
  return lines.map(({ code, k, yes, no }, index) => ({ code, k, jt: offset(index, yes), jf: offset(index, no) }));
}
