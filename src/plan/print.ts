import type { OpName } from '../generated/ops.js';
import type { Plan, Step } from './step.js';
import { singly } from './step-items.js';

/** What a person wants to find in a plan; each area covers operations, by their names' beginnings. */
export const areas: readonly (readonly [title: string, ...prefixes: string[]])[] = [
  ['cgroup', 'cgroup.'],
  ['hooks', 'hook.', 'self.directory'],
  [
    'namespaces',
    'child.create',
    'child.write-proc',
    'child.run-helper',
    'ns.',
    'self.',
    'host.',
    'session.',
    'keyring.',
  ],
  ['root, mounts and devices', 'root.', 'mount.', 'source.', 'device.', 'path.symlink', 'console.'],
  ['kernel parameters', 'sysctl.'],
  ['protected paths', 'path.readonly', 'path.mask'],
  ['process', 'process.', 'stdio.', 'child.rlimit'],
  ['state', 'state.', 'file.', 'fifo.', 'socket.', 'plan.'],
  ['supervision', 'child.supervise'],
];

export function areaOf(op: OpName): string {
  for (const [title, ...prefixes] of areas) {
    for (const prefix of prefixes) if (op.startsWith(prefix)) return title;
  }
  return 'other';
}

/** `unless EPERM`: what may go wrong without ending the plan. */
export function condition({ tolerate, orElseNext, orEnd }: Step): string {
  if (tolerate === undefined || tolerate.length === 0) return '';
  if (orEnd) return ` (${tolerate.join(', ')} is the end)`;
  return orElseNext ? ` (on ${tolerate.join(', ')} the next one)` : ` (${tolerate.join(', ')} is fine)`;
}

/** Columns for the pointer, so that most plans line up with each other, too. */
const leastWidth = 32;

/** The plan as lines for a person: number, who does it, the config key that caused it, and what it is. */
export function printPlan(plan: Plan): string {
  const steps = plan.steps.flatMap(singly);
  const digits = String(steps.length).length;
  const width = steps.reduce((most, { pointer }) => Math.max(most, pointer.length), leastWidth);
  const lines: string[] = [];
  let area = '';
  steps.forEach((step, index) => {
    const next = areaOf(step.op);
    if (next !== area) lines.push(...(index === 0 ? [] : ['']), `# ${next}`);
    area = next;
    const number = String(index + 1).padStart(digits);
    lines.push(`${number}  ${step.role.padEnd(6)}  ${step.pointer.padEnd(width)}  ${step.summary}${condition(step)}`);
  });
  if (plan.preserveFds > 0) lines.push('', `${plan.preserveFds} descriptors from 3 on are passed to the process`);
  return `${lines.join('\n')}\n`;
}

/** Numbers of 64 bits and binary data have no form in JSON that every reader keeps: decimal text and base64. */
export function jsonValue(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? { base64: base64(value) } : value;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const bits = (a << 16) | (b << 8) | c;
    const left = bytes.length - i;
    text += alphabet[bits >> 18]! + alphabet[(bits >> 12) & 63]!;
    text += left > 1 ? alphabet[(bits >> 6) & 63]! : '=';
    text += left > 2 ? alphabet[bits & 63]! : '=';
  }
  return text;
}

/** The plan as data, everything in it. */
export function printPlanJson(plan: Plan): string {
  const steps = plan.steps.map(({ op, role, pointer, summary, args, tolerate, orElseNext, orEnd }) => ({
    op,
    role,
    pointer,
    summary,
    args,
    ...(tolerate === undefined ? {} : { tolerate }),
    ...(orElseNext ? { orElseNext } : {}),
    ...(orEnd ? { orEnd } : {}),
  }));
  return `${JSON.stringify({ preserveFds: plan.preserveFds, steps }, jsonValue, 2)}\n`;
}
