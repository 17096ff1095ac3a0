/** Intel RDT: the container's group in the resctrl filesystem (config-linux.md, intelRdt). */
import type { IntelRdt } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import { type Step, step } from '../step.js';

/** What is known of the host's resctrl; `schemataOf` reads a group's file, undefined when there is no such group. */
export interface ResctrlFacts {
  readonly mountPoint: string;
  readonly schemataOf: (group: string) => string | undefined;
}

export interface ResctrlPart {
  /** Host, before there is a process. */
  readonly open: readonly Step[];
  /** Host, once there is one. */
  readonly join: readonly Step[];
  /** Host, after a foreground run. */
  readonly remove: readonly Step[];
  /** Every group a process of the container belongs to, in this order. */
  readonly groups: readonly string[];
  /** The one that was made for it and must go with it. */
  readonly made?: string;
}

const root = '/linux/intelRdt';

/** `L3:0=0ff;1=f` as resource and domains; the kernel pads masks with zeros, and so may the config. */
function parseLine(line: string): { resource: string; domains: Map<string, string> } {
  const colon = line.indexOf(':');
  const domains = new Map<string, string>();
  for (const part of line.slice(colon + 1).split(';')) {
    const [domain = '', value = ''] = part.split('=').map((text) => text.trim());
    domains.set(domain, value.toLowerCase().replace(/^0+(?=.)/, ''));
  }
  return { resource: line.slice(0, colon).trim(), domains };
}

/** A group that exists may be others', too: it must be as the config wants it, and is never changed. */
function checkExisting(
  wanted: readonly (readonly [line: string, key: string])[],
  schemata: string,
  group: string,
): void {
  const present = new Map<string, Map<string, string>>();
  for (const line of schemata.split('\n')) {
    if (!line.includes(':')) continue;
    const { resource, domains } = parseLine(line);
    present.set(resource, domains);
  }
  for (const [line, key] of wanted) {
    const { resource, domains } = parseLine(line);
    for (const [domain, value] of domains) {
      if (present.get(resource)?.get(domain) === value) continue;
      const message = `'${line}' is not what the resctrl group '${group}' has, which exists already`;
      fail('TSR_RDT_MISMATCH', message, {
        pointer: `${root}/${key}`,
        detail: schemata.trim().replace(/\s*\n\s*/g, ' | '),
      });
    }
  }
}

/** In the order in which they must be written: the L3 cache, the bandwidth, the rest as it comes. */
function linesOf({ l3CacheSchema, memBwSchema, schemata = [] }: IntelRdt): (readonly [line: string, key: string])[] {
  const lines: (readonly [string, string])[] = [];
  if (l3CacheSchema) lines.push([l3CacheSchema, 'l3CacheSchema']);
  if (memBwSchema) lines.push([memBwSchema, 'memBwSchema']);
  schemata.forEach((line, index) => {
    lines.push([line, `schemata/${index}`]);
  });
  return lines;
}

const join = (group: string, pointer: string): Step =>
  step('host', 'resctrl.write', { pid: 1, path: `${group}/tasks`, value: '' }, pointer, `join resctrl group ${group}`);

/** For a process more in the container. */
export const joinResctrl = (groups: readonly string[]): Step[] => groups.map((group) => join(group, root));

export function compileResctrl(rdt: IntelRdt, id: string, { mountPoint, schemataOf }: ResctrlFacts): ResctrlPart {
  const closId = rdt.closID ?? id;
  const group = closId === '/' ? mountPoint : `${mountPoint}/${closId}`;
  const lines = linesOf(rdt);
  const existing = schemataOf(group);
  const open: Step[] = [];
  let made: string | undefined;
  const make = (path: string, pointer: string): void => {
    open.push(step('host', 'resctrl.make', { path }, pointer, `make resctrl group ${path}`));
    made ??= path;
  };
  if (existing !== undefined) checkExisting(lines, existing, group);
  else {
    if (rdt.closID !== undefined && lines.length === 0) {
      const message = `there is no resctrl group '${group}', and no schema to make one of`;
      fail('TSR_RDT_NO_GROUP', message, { pointer: `${root}/closID` });
    }
    make(group, rdt.closID === undefined ? root : `${root}/closID`);
    for (const [line, key] of lines) {
      const args = { pid: 0, path: `${group}/schemata`, value: `${line}\n` };
      open.push(step('host', 'resctrl.write', args, `${root}/${key}`, `set resctrl schema ${line}`));
    }
  }
  const groups = [group];
  if (rdt.enableMonitoring) {
    groups.push(`${group}/mon_groups/${id}`);
    make(groups[1] as string, `${root}/enableMonitoring`);
  }
  const remove: Step[] = [];
  if (made !== undefined) {
    const args = { root: mountPoint, path: made.slice(mountPoint.length + 1) };
    remove.push(step('host', 'cgroup.remove', args, '', `remove resctrl group ${made}`));
  }
  return { open, join: joinResctrl(groups), remove, groups, ...(made === undefined ? {} : { made }) };
}
