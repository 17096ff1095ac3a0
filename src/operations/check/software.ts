/** What of the host's other software matters: security modules, libseccomp, criu, systemd, engines. */
import { listDirectory, readTextIfExists } from '../../host/files.js';
import { environment, effectiveUid } from '../../host/process.js';
import { runProgram } from '../../host/program.js';
import { gatherLsmFacts } from '../../linux/facts.js';
import { openLibseccomp } from '../../linux/seccomp/libseccomp.js';
import { advisoriesOf } from '../../tables/advisories.js';
import { seccompFlags } from '../../tables/seccomp.js';
import { flagsOfKernel } from '../features.js';
import { findProgram, lookAt } from './people.js';
import type { HostFact } from './report.js';

export function lsmFacts(): HostFact[] {
  const { apparmor, selinux } = gatherLsmFacts();
  const list = readTextIfExists('/sys/kernel/security/lsm')?.trim();
  const row = (id: string, name: string, on: boolean, key: string): HostFact => ({
    id: `lsm.${id}`,
    name,
    state: on ? 'yes' : 'no',
    means: on ? `${key} can be set` : `off: a config with ${key} is refused`,
  });
  return [
    ...(list
      ? [{ id: 'lsm.list', name: 'security modules', state: 'yes' as const, value: list, means: 'in this order' }]
      : []),
    row('apparmor', 'AppArmor', apparmor, 'process.apparmorProfile'),
    row('selinux', 'SELinux', selinux, 'process.selinuxLabel'),
  ];
}

function libraryFact(): HostFact {
  const base = { id: 'seccomp.library', name: 'libseccomp' };
  try {
    const { version } = openLibseccomp();
    const known = advisoriesOf('libseccomp', version);
    if (known.length === 0)
      return { ...base, state: 'yes', value: version, means: 'no published weakness is known here' };
    const what = known.map(({ id, what: text, mendedIn }) => `${id} (${text}; mended in ${mendedIn})`).join(', ');
    return {
      ...base,
      state: 'partly',
      value: version,
      means: `has ${what}; distributions may have mended it under this number`,
    };
  } catch {
    return { ...base, state: 'no', means: 'a config with linux.seccomp is refused' };
  }
}

function flagFacts(): HostFact[] {
  const supported = flagsOfKernel();
  return [...seccompFlags.keys()].sort().map((name): HostFact => {
    const short = name.replace('SECCOMP_FILTER_FLAG_', '');
    const base = { id: `seccomp.flag.${short}`, name: `flag ${short}` };
    if (supported === undefined) return { ...base, state: 'unknown', means: 'the kernel could not be asked' };
    return supported.includes(name)
      ? { ...base, state: 'yes', means: 'can be set' }
      : { ...base, state: 'no', means: 'a profile with it is refused' };
  });
}

export function seccompFacts(): HostFact[] {
  const actions = readTextIfExists('/proc/sys/kernel/seccomp/actions_avail')?.trim();
  const notifies = actions?.split(' ').includes('user_notif');
  return [
    {
      id: 'seccomp.actions',
      name: 'actions',
      state: actions === undefined ? 'no' : 'yes',
      ...(actions ? { value: actions } : {}),
      means: actions === undefined ? 'the kernel has no seccomp filters, or hides them' : 'what a profile may ask for',
    },
    {
      id: 'seccomp.notify',
      name: 'notify',
      state: notifies ? 'yes' : actions === undefined ? 'unknown' : 'no',
      means: notifies ? 'SCMP_ACT_NOTIFY can be used' : 'a profile with SCMP_ACT_NOTIFY is refused',
    },
    ...flagFacts(),
    libraryFact(),
  ];
}

function criuFact(): HostFact {
  const base = { id: 'software.criu', name: 'criu' };
  if (findProgram('criu') === undefined) return { ...base, state: 'no', means: 'no checkpoint and no restore' };
  const { output } = runProgram('criu', ['--version']);
  const version = /Version: (\S+)/.exec(output)?.[1];
  return { ...base, state: 'yes', ...(version ? { value: version } : {}), means: 'checkpoint and restore, for root' };
}

function systemdFact(): HostFact {
  const base = { id: 'software.systemd', name: 'systemd' };
  return lookAt('/run/systemd/system')
    ? { ...base, state: 'yes', means: '--systemd-cgroup can be used' }
    : { ...base, state: 'no', means: 'does not run here: --systemd-cgroup fails' };
}

interface EngineRow {
  readonly name: string;
  readonly program: string;
  readonly files: readonly string[];
  readonly page: string;
}

const containersConf = [
  '/usr/share/containers/containers.conf',
  '/etc/containers/containers.conf',
  '/etc/containers/containers.conf.d',
];
const engines: readonly EngineRow[] = [
  { name: 'podman', program: 'podman', files: containersConf, page: 'docs/podman.md' },
  { name: 'buildah', program: 'buildah', files: containersConf, page: 'docs/engines.md' },
  { name: 'docker', program: 'dockerd', files: ['/etc/docker/daemon.json'], page: 'docs/docker.md' },
  {
    name: 'containerd',
    program: 'containerd',
    files: ['/etc/containerd/config.toml', '/etc/containerd/conf.d'],
    page: 'docs/containerd.md',
  },
  {
    name: 'cri-o',
    program: 'crio',
    files: ['/etc/crio/crio.conf', '/etc/crio/crio.conf.d'],
    page: 'docs/kubernetes.md',
  },
];

/** The texts of a file, or of the files of a folder; what cannot be read is none. */
function textsAt(path: string): string[] {
  try {
    const kind = lookAt(path)?.kind;
    if (kind === 'directory') return listDirectory(path).flatMap((name) => readTextIfExists(`${path}/${name}`) ?? []);
    return kind === 'file' ? [readTextIfExists(path) ?? ''] : [];
  } catch {
    return [];
  }
}

const names = (text: string): boolean =>
  text.split('\n').some((line) => !line.trim().startsWith('#') && line.includes('tsrun'));

function engineFact({ name, program, files, page }: EngineRow): HostFact {
  const base = { id: `engine.${name}`, name };
  const path = findProgram(program);
  if (path === undefined) return { ...base, state: 'no', means: 'not installed' };
  const home = environment('HOME');
  const own =
    effectiveUid() !== 0 && home && files === containersConf ? [`${home}/.config/containers/containers.conf`] : [];
  const configured = [...files, ...own].find((file) => textsAt(file).some(names));
  if (configured !== undefined) return { ...base, state: 'yes', value: path, means: `knows tsrun, from ${configured}` };
  return { ...base, state: 'partly', value: path, means: `is not configured for tsrun: see ${page}` };
}

export const softwareFacts = (): HostFact[] => [criuFact(), systemdFact()];
export const engineFacts = (): HostFact[] => engines.map(engineFact);
