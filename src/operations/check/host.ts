import { readTextIfExists } from '../../host/files.js';
import { probeHost } from '../../host/probe.js';
import { gatherFacts } from '../../linux/facts.js';
import { idMapFacts, kernelFacts, namespaceFacts } from './kernel.js';
import { cgroupFacts, lookAt, userFacts } from './people.js';
import type { HostReport } from './report.js';
import { engineFacts, lsmFacts, seccompFacts, softwareFacts } from './software.js';

/** Where roots and volumes of containers usually lie. */
const places = ['/', '/var/lib/containers', '/var/lib/docker', '/var/lib/containerd', '/home', '/tmp', '/run'];

/** One directory a file system. */
function differentPlaces(): string[] {
  const seen = new Set<number>();
  return places.filter((path) => {
    const facts = lookAt(path);
    if (facts?.kind !== 'directory' || seen.has(facts.dev)) return false;
    seen.add(facts.dev);
    return true;
  });
}

/** The type of what is mounted nearest above a path. */
function fileSystemType(path: string): string {
  let [best, type] = ['', 'unknown'];
  for (const line of (readTextIfExists('/proc/self/mountinfo') ?? '').split('\n')) {
    const point = line.split(' ')[4] ?? '';
    const covers = point === '/' || path === point || path.startsWith(`${point}/`);
    if (point === '' || !covers || point.length < best.length) continue;
    [best, type] = [point, line.split(' - ')[1]?.split(' ')[0] ?? type];
  }
  return type;
}

/** What this host offers to containers of this user. Changes nothing. */
export function checkHost(): HostReport {
  const facts = gatherFacts();
  const paths = differentPlaces();
  const probed = probeHost({ idMapped: paths });
  return {
    host: [
      { title: 'Kernel', facts: kernelFacts(probed, facts) },
      { title: 'Namespaces', facts: namespaceFacts(probed) },
      { title: 'User', facts: userFacts(probed, facts) },
      { title: 'Cgroups', facts: cgroupFacts(facts) },
      { title: 'Seccomp', facts: seccompFacts() },
      { title: 'Security modules', facts: lsmFacts() },
      { title: 'Id-mapped mounts', facts: idMapFacts(probed, paths, fileSystemType) },
      { title: 'Software', facts: softwareFacts() },
      { title: 'Engines', facts: engineFacts() },
    ],
  };
}
