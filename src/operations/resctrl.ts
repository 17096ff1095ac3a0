import type { Spec } from '../bundle/types.js';
import { findResctrl, schemataOf } from '../linux/resctrl.js';
import { compileResctrl, type ResctrlPart } from '../plan/phases/resctrl.js';
import type { RecordDraft } from '../state/record.js';

/** Undefined without the key, and where there is no resctrl, which the compiler then says. */
export function resctrlPart({ linux }: Spec, id: string): ResctrlPart | undefined {
  const mountPoint = linux?.intelRdt && findResctrl();
  return mountPoint === undefined ? undefined : compileResctrl(linux!.intelRdt!, id, { mountPoint, schemataOf });
}

/** What `exec` and `delete` have to know. */
export function recordOf(part: ResctrlPart | undefined): Pick<RecordDraft, 'intelRdtPath' | 'intelRdtGroups'> {
  if (part === undefined) return {};
  return { intelRdtGroups: part.groups, ...(part.made === undefined ? {} : { intelRdtPath: part.made }) };
}
