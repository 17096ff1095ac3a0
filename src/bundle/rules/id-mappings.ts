import { hasNamespace } from '../has-namespace.js';
import type { Reporter, Rule } from '../rule.js';
import type { IdMapping, Spec } from '../types.js';

/** UID_GID_MAP_MAX_EXTENTS of kernel 4.15 and later. */
const mostMappings = 340;
/** (uid_t) -1 is no id, so the last one that can be mapped is one below. */
const ids = 2 ** 32 - 1;

const code = 'TSR_ID_MAPPING';

/** What the kernel would answer with a bare EINVAL when the map is written; user_namespaces(7). */
export function checkMappings(mappings: readonly IdMapping[] | undefined, at: string, report: Reporter): void {
  if (mappings === undefined) return;
  if (mappings.length > mostMappings) {
    report.error(code, at, `there are ${mappings.length} mappings`, `the kernel takes at most ${mostMappings}`);
    return;
  }
  mappings.forEach((mapping, index) => {
    for (const key of ['containerID', 'hostID'] as const) {
      const end = mapping[key] + mapping.size;
      if (end > ids) {
        report.error(
          code,
          `${at}/${index}/size`,
          `'${key}' ${mapping[key]} and 'size' ${mapping.size} go beyond the last id`,
          `their sum may be at most ${ids}`,
        );
      }
    }
  });
  if (mappings.length < 2) return;
  checkOverlap(mappings, 'containerID', at, report);
  checkOverlap(mappings, 'hostID', at, report);
}

function checkOverlap(
  mappings: readonly IdMapping[],
  key: 'containerID' | 'hostID',
  at: string,
  report: Reporter,
): void {
  const sorted = mappings.map((mapping, index) => ({ index, from: mapping[key], end: mapping[key] + mapping.size }));
  sorted.sort((a, b) => a.from - b.from || a.index - b.index);
  for (let i = 1; i < sorted.length; i++) {
    const [before, here] = [sorted[i - 1]!, sorted[i]!];
    if (here.from >= before.end) continue;
    const message = `'${key}' ${here.from} is already in mapping ${before.index}, which ends before ${before.end}`;
    report.error(code, `${at}/${here.index}/${key}`, message, 'the ranges must not overlap');
  }
}

/** Mappings beside the path of a namespace that is joined are tolerated: containerd sends both. */
export const idMappingsRule = (key: 'uidMappings' | 'gidMappings'): Rule<Spec> => ({
  reads: [`/linux/${key}`, '/linux/namespaces'],
  check(spec, report) {
    const mappings = spec.linux?.[key] ?? [];
    if (mappings.length > 0 && !hasNamespace(spec, 'user')) {
      const hint = 'add { "type": "user" } to linux.namespaces';
      report.error('TSR_NAMESPACE_MAPPINGS', `/linux/${key}`, `'${key}' is set without a user namespace`, hint);
    }
    checkMappings(mappings, `/linux/${key}`, report);
  },
});
