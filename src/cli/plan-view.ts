/** A plan for a person to read: what the container will be, then the steps, each group once. */
import { sanitise } from '../errors/render.js';
import type { Change } from '../plan/difference.js';
import { areaOf, areas, condition } from '../plan/print.js';
import type { Plan, Step } from '../plan/step.js';
import type { SummaryLine } from '../plan/summary.js';
import { clipTo, columnsOf, foldTo, type Look, padTo } from './terminal.js';

export interface Planned {
  readonly title: string;
  readonly summary: readonly SummaryLine[];
  readonly plan: Plan;
}

interface Numbered {
  readonly step: Step;
  readonly number: number;
}

/** Groups in the order of what a person looks for; steps within them in their own. */
export function groupsOf({ steps }: Plan): { readonly title: string; readonly steps: readonly Numbered[] }[] {
  const groups = new Map<string, Numbered[]>([...areas.map(([title]) => title), 'other'].map((title) => [title, []]));
  steps.forEach((step, index) => {
    groups.get(areaOf(step.op))?.push({ step, number: index + 1 });
  });
  return [...groups].filter(([, some]) => some.length > 0).map(([title, some]) => ({ title, steps: some }));
}

/** Where nobody looks, lines are as long as they are and columns fit all; else the pointer gets a third of the width. */
function pointerWidth(steps: readonly Step[], { width }: Look): number {
  const longest = steps.reduce((most, { pointer }) => Math.max(most, columnsOf(pointer)), 8);
  return width === undefined ? longest : Math.min(longest, Math.max(16, Math.floor(width / 3)));
}

function headLines({ title, summary }: Planned, look: Look): string[] {
  const lines = [look.paint(sanitise(title), 'strong')];
  for (const [name, text] of summary)
    foldTo(sanitise(text), look.width === undefined ? undefined : Math.max(24, look.width - 14)).forEach(
      (line, index) => {
        lines.push(`  ${index === 0 ? look.paint(name.padEnd(12), 'faint') : ' '.repeat(12)}${line}`);
      },
    );
  return lines;
}

/** One step, below itself where it is too long. */
function stepLines(left: string, step: Step, text: string, pointers: number, look: Look): string[] {
  const indent = columnsOf(left) + 8 + pointers + 2;
  const room = look.width === undefined ? undefined : Math.max(16, look.width - indent);
  const pointer = padTo(clipTo(sanitise(step.pointer), pointers, 'start'), pointers);
  const head = `${look.paint(left, 'faint')}${step.role.padEnd(8)}${look.paint(pointer, 'key')}  `;
  return foldTo(sanitise(text), room).map((line, index) =>
    `${index === 0 ? head : ' '.repeat(indent)}${line}`.trimEnd(),
  );
}

export function renderPlan(planned: Planned, look: Look): string {
  const { plan } = planned;
  const digits = String(plan.steps.length).length;
  const pointers = pointerWidth(plan.steps, look);
  const lines = headLines(planned, look);
  for (const { title, steps } of groupsOf(plan)) {
    lines.push('', look.paint(`# ${title}`, 'strong'));
    for (const { step, number } of steps)
      lines.push(
        ...stepLines(`${String(number).padStart(digits)}  `, step, `${step.summary}${condition(step)}`, pointers, look),
      );
  }
  if (plan.preserveFds > 0) lines.push('', `${plan.preserveFds} descriptors from 3 on are passed to the process`);
  return `${lines.join('\n')}\n`;
}

const tones = { '-': 'bad', '+': 'good', '~': 'odd' } as const;

/** What is in one plan and not in the other. */
export function renderDifference(title: string, changes: readonly Change[], look: Look): string {
  const lines = [look.paint(sanitise(title), 'strong')];
  if (changes.length === 0) lines.push('', 'the steps are the same');
  const pointers = pointerWidth(
    changes.map(({ step }) => step),
    look,
  );
  let area = '';
  for (const { sign, step, args } of changes) {
    const next = areaOf(step.op);
    if (next !== area) lines.push('', look.paint(`# ${next}`, 'strong'));
    area = next;
    const text = args === undefined ? step.summary : `${step.summary}: other ${args.join(', ')}`;
    const [first = '', ...rest] = stepLines('', step, text, pointers, { ...look, width: look.width && look.width - 2 });
    lines.push(`${look.paint(sign, tones[sign])} ${first}`, ...rest.map((line) => `  ${line}`));
  }
  return `${lines.join('\n')}\n`;
}
