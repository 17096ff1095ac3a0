/** Changes the limits of a container that exists: all of them, or none. */
import { type Failure, TsrunError } from '../../errors/error.js';
import { errnoOf, readTextIfExists, writeExisting } from '../../host/files.js';
import type { CgroupRecord, CgroupSetting, UsageCheck } from '../../tables/cgroup.js';
import { directoryOf, unifiedPlace } from './place.js';

interface Undo {
  readonly file: string;
  readonly value: string;
}

/** Files that hold a line for each device or interface, and what to write where there is no line yet. */
const keyed: readonly (readonly [file: RegExp, absent: (key: string) => string])[] = [
  [/^blkio\..*device$/, (key) => `${key} 0`],
  [/^io\.max$/, (key) => `${key} rbps=max wbps=max riops=max wiops=max`],
  [/^(io|io\.bfq)\.weight$/, (key) => `${key} default`],
  [/^(rdma\.max|net_prio\.ifpriomap)$/, () => ''],
];

/** What to write to get back to the present; '' for nothing. */
function presentValue(file: string, path: string, value: string): string {
  const text = readTextIfExists(path)?.trim() ?? '';
  const space = value.indexOf(' ');
  const row = space === -1 ? undefined : keyed.find(([pattern]) => pattern.test(file));
  if (file === 'memory.oom_control') return /oom_kill_disable ([01])/.exec(text)?.[1] ?? '';
  if (row === undefined) return text.startsWith('default ') ? text.split('\n')[0]! : text;
  const key = value.slice(0, space);
  return text.split('\n').find((line) => line.startsWith(`${key} `)) ?? row[1](key);
}

/** Twice, and from the last to the first: a limit and its partner may each fit only after the other. */
function undoAll(undos: readonly Undo[]): void {
  for (let round = 0; round < 2; round++) {
    for (let i = undos.length - 1; i >= 0; i--) {
      try {
        writeExisting(undos[i]!.file, undos[i]!.value);
      } catch {
        // The first round may be refused; after the second there is nothing better to do.
      }
    }
  }
}

/** `EBUSY` of a memory limit says little; the numbers say all. */
function explain(directory: string, { file, value }: CgroupSetting, errno: string): Pick<Failure, 'detail'> {
  if (file !== 'memory.limit_in_bytes' || errno !== 'EBUSY') return {};
  const usage = readTextIfExists(`${directory}/memory.usage_in_bytes`)?.trim();
  const peak = readTextIfExists(`${directory}/memory.max_usage_in_bytes`)?.trim();
  return { detail: `unable to set memory limit to ${value} (current usage: ${usage}, peak usage: ${peak})` };
}

function write(directory: string, setting: CgroupSetting, undos: Undo[]): string {
  const { file, value } = setting;
  const path = `${directory}/${file}`;
  try {
    const before = presentValue(file, path, value);
    writeExisting(path, value);
    if (before !== '') undos.push({ file: path, value: before });
    return '';
  } catch (error) {
    return errnoOf(error) || 'EIO';
  }
}

/** @throws TSR_CGROUP_USAGE for a limit that the present usage already exceeds; v2 would kill for it. */
function checkUsage(record: CgroupRecord, checks: readonly UsageCheck[]): void {
  const place = unifiedPlace(record);
  if (place === undefined || checks.length === 0) return;
  const usage = readTextIfExists(`${directoryOf(place)}/memory.current`)?.trim();
  if (usage === undefined) return;
  for (const { limit, pointer, name } of checks) {
    if (BigInt(limit) > BigInt(usage)) continue;
    throw new TsrunError({
      code: 'TSR_CGROUP_USAGE',
      message: `rejecting ${name} limit ${limit} <= usage ${usage}`,
      pointer,
    });
  }
}

/**
 * Writes the settings in order. When one is refused, what was written before it is written back.
 * @throws TSR_CGROUP_UPDATE with the pointer of the setting that was refused.
 */
export function apply(
  record: CgroupRecord,
  settings: readonly CgroupSetting[],
  checks: readonly UsageCheck[] = [],
): void {
  checkUsage(record, checks);
  const directories = record.places.map(directoryOf);
  const undos: Undo[] = [];
  for (let i = 0; i < settings.length; i++) {
    const setting = settings[i]!;
    const directory = directories[setting.place]!;
    const errno = write(directory, setting, undos);
    if (errno === '') {
      if (setting.orElseNext) i++;
      continue;
    }
    if (setting.tolerate?.includes(errno)) continue;
    const detail = explain(directory, setting, errno);
    undoAll(undos);
    throw new TsrunError({
      code: 'TSR_CGROUP_UPDATE',
      message: `cannot set ${setting.file} to ${setting.value}`,
      pointer: setting.pointer,
      syscall: 'write',
      errno,
      ...detail,
    });
  }
}
