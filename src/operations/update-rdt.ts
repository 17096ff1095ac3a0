/** `update --l3-cache-schema` and `--mem-bw-schema`: new shares of the cache and of memory bandwidth (Intel RDT). */
import { fail } from '../errors/error.js';
import { errnoOf, readTextIfExists, writeExisting } from '../host/files.js';
import { schemataOf } from '../linux/resctrl.js';
import type { ContainerRecord } from '../state/record.js';

export interface RdtSchemas {
  readonly l3CacheSchema?: string | undefined;
  readonly memBwSchema?: string | undefined;
}

function linesOf({ l3CacheSchema, memBwSchema }: RdtSchemas): string[] {
  const refuse = (option: string, hint: string): never =>
    fail('TSR_CLI_VALUE', `--${option} is not a schema of that resource`, { hint });
  if (l3CacheSchema !== undefined && !/^L3(CODE|DATA)?:[^\n]+$/.test(l3CacheSchema))
    refuse('l3-cache-schema', 'write one line such as L3:0=f;1=f0');
  if (memBwSchema !== undefined && !/^MB:[^\n]+$/.test(memBwSchema))
    refuse('mem-bw-schema', 'write one line such as MB:0=20;1=70');
  return [l3CacheSchema, memBwSchema].filter((line) => line !== undefined);
}

/** The group that was made for this container: one that was there before may be others', too, and is never changed. */
function groupOf({ intelRdtGroups = [], intelRdtPath }: ContainerRecord): string {
  const [group] = intelRdtGroups;
  if (group === undefined)
    return fail('TSR_RDT_UPDATE', 'the container has no resctrl group', { hint: "create it with 'intelRdt'" });
  if (group === intelRdtPath) return group;
  return fail('TSR_RDT_UPDATE', `the resctrl group '${group}' is not this container's own`, {
    hint: 'change its schemata by hand, for all who are in it',
  });
}

/** Writes what is asked in one go, which the kernel takes or refuses as a whole. Returns what takes it back. */
export function updateRdt(record: ContainerRecord, schemas: RdtSchemas): () => void {
  const lines = linesOf(schemas);
  if (lines.length === 0) return () => undefined;
  const group = groupOf(record);
  const file = `${group}/schemata`;
  const before = schemataOf(group);
  if (before === undefined) return fail('TSR_RDT_UPDATE', `there is no resctrl group '${group}' any more`);
  try {
    writeExisting(file, `${lines.join('\n')}\n`);
  } catch (error) {
    const errno = errnoOf(error);
    const root = group.slice(0, group.lastIndexOf('/'));
    const reason = readTextIfExists(`${root}/info/last_cmd_status`)?.trim();
    fail('TSR_RDT_UPDATE', `cannot set ${lines.join(' and ')}`, {
      syscall: 'write',
      errno,
      ...(reason ? { detail: reason } : {}),
    });
  }
  return () => writeExisting(file, before);
}
