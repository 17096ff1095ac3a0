/** Ids that this user may not map, and those of the process that nobody has mapped. */
import type { Spec } from '../../bundle/types.js';
import type { HostFacts } from '../../linux/facts.js';
import { rangesOf } from './people.js';
import type { BundleFinding } from './report.js';

const missing = (pointer: string, message: string, why: string): BundleFinding => ({
  kind: 'missing',
  pointer,
  message,
  why,
});

function mappingsLacking(spec: Spec, facts: HostFacts): BundleFinding[] {
  if (facts.uid === 0) return [];
  return (['uidMappings', 'gidMappings'] as const).flatMap((key) => {
    const own = key === 'uidMappings' ? facts.uid : facts.gid;
    const file = key === 'uidMappings' ? '/etc/subuid' : '/etc/subgid';
    const ranges = rangesOf(file, facts.uid).map((range) => range.split('+').map(Number));
    return (spec.linux?.[key] ?? []).flatMap(({ hostID, size }, index) => {
      const covered = ranges.some(([start = 0, count = 0]) => hostID >= start && hostID + size <= start + count);
      if (covered || (hostID === own && size === 1)) return [];
      const what = size === 1 ? `${hostID}` : `${hostID} to ${hostID + size - 1}`;
      return [
        missing(`/linux/${key}/${index}`, `this user may not map ${what}`, `no line of ${file} gives it to this user`),
      ];
    });
  });
}

/** In a user namespace that is made; what one that is joined has is its own business. */
function unmappedIn({ linux, process }: Spec): BundleFinding[] {
  const own = (linux?.namespaces ?? []).some(({ type, path }) => type === 'user' && !path);
  const { uid = 0, gid = 0, additionalGids = [] } = process?.user ?? {};
  if (!own || process === undefined) return [];
  const isMapped = (key: 'uidMappings' | 'gidMappings', id: number): boolean => {
    const maps = linux?.[key] ?? [];
    return maps.length === 0 || maps.some(({ containerID, size }) => id >= containerID && id < containerID + size);
  };
  const keys = ['uidMappings', 'gidMappings'] as const;
  const rootless = keys.filter((key) => !isMapped(key, 0));
  if (rootless.length > 0) {
    const why = 'the container is set up by root of its user namespace';
    return rootless.map((key) => missing('/linux/namespaces', `linux.${key} has no 0`, why));
  }
  const lacks = (key: (typeof keys)[number], id: number, pointer: string): BundleFinding[] =>
    isMapped(key, id)
      ? []
      : [missing(`/process/user/${pointer}`, `${id} is not mapped`, `no range of linux.${key} has it`)];
  return [
    ...lacks('uidMappings', uid, 'uid'),
    ...lacks('gidMappings', gid, 'gid'),
    ...additionalGids.flatMap((id, index) => lacks('gidMappings', id, `additionalGids/${index}`)),
  ];
}

export const idsLacking = (spec: Spec, facts: HostFacts): BundleFinding[] => [
  ...mappingsLacking(spec, facts),
  ...unmappedIn(spec),
];
