/** What a config gives away that most containers are not given: the key, and a sentence why that matters. Pure. */
import type { Mount, Spec } from '../../bundle/types.js';
import type { BundleFinding } from './report.js';

const risk = (pointer: string, message: string, why: string): BundleFinding => ({
  kind: 'risk',
  pointer,
  message,
  why,
});

const powerful: ReadonlyMap<string, string> = new Map([
  ['CAP_SYS_ADMIN', 'it may mount, and set up most of what a container is made of: near to root of the host'],
  ['CAP_SYS_MODULE', 'it may load code into the kernel'],
  ['CAP_SYS_RAWIO', 'it may reach memory and ports of the machine'],
  ['CAP_SYS_PTRACE', 'it may read and change any process that it sees'],
  ['CAP_SYS_BOOT', 'it may restart the host'],
  ['CAP_SYS_TIME', "it may set the host's clock"],
  ['CAP_DAC_READ_SEARCH', 'it may open files of the host by handle, whatever is mounted'],
  ['CAP_BPF', 'it may load programs into the kernel'],
  ['CAP_PERFMON', 'it may watch what all of the host does'],
  ['CAP_NET_ADMIN', 'it may change interfaces, routes and firewalls of its network'],
  ['CAP_MAC_ADMIN', 'it may change the policy of security modules'],
  ['CAP_MAC_OVERRIDE', 'security modules do not hold it'],
  ['CAP_SYSLOG', "it may read the kernel's log, with addresses in it"],
  ['CAP_SYS_RESOURCE', 'limits of resources do not hold it'],
]);

const shared: ReadonlyMap<string, string> = new Map([
  ['mount', "it works in the host's own mount table"],
  ['pid', 'it sees all processes of the host, and may signal those of its user'],
  ['network', "it reaches what listens on the host's loopback and abstract sockets"],
  ['ipc', "it shares the host's message queues and shared memory"],
  ['uts', 'the host name is the one of the host'],
  ['cgroup', 'it sees where in the host it is'],
]);

function namespaceRisks({ linux, process }: Spec, asRoot: boolean): BundleFinding[] {
  const types = new Map((linux?.namespaces ?? []).map(({ type, path }, index) => [type as string, { path, index }]));
  const findings: BundleFinding[] = [];
  for (const [type, why] of shared) {
    const entry = types.get(type);
    const ofHost = entry?.path !== undefined && /^\/proc\/(1|self)\/ns\//.test(entry.path);
    if (entry !== undefined && !ofHost) continue;
    // A cgroup namespace is what older configs leave out; alone it gives little away.
    if (entry === undefined && (type === 'cgroup' || type === 'uts')) continue;
    findings.push(
      risk(
        entry ? `/linux/namespaces/${entry.index}` : '/linux/namespaces',
        `the ${type} namespace is the host's`,
        why,
      ),
    );
  }
  if (!types.has('user') && asRoot && (process?.user?.uid ?? 0) === 0)
    findings.push(
      risk(
        '/linux/namespaces',
        'there is no user namespace, and the process is root',
        'uid 0 inside is uid 0 of the host: whatever gets out is root',
      ),
    );
  return findings;
}

function capabilityRisks({ process, linux }: Spec): BundleFinding[] {
  const sets = process?.capabilities ?? {};
  const inUserNamespace = (linux?.namespaces ?? []).some(({ type }) => type === 'user');
  const findings: BundleFinding[] = [];
  for (const [name, why] of powerful) {
    // The bounding set is what a program can come to have; the others are within it, or useless without.
    const set = (['bounding', 'permitted', 'effective'] as const).find((key) => sets[key]?.includes(name));
    if (set === undefined) continue;
    const index = sets[set]?.indexOf(name);
    const note = inUserNamespace ? `${why}; in its user namespace only` : why;
    findings.push(risk(`/process/capabilities/${set}/${index}`, `the container has ${name}`, note));
  }
  return findings;
}

function seccompRisks({ linux }: Spec): BundleFinding[] {
  if (linux?.seccomp === undefined)
    return [
      risk(
        '/linux',
        'there is no seccomp profile',
        'every system call of the kernel can be reached, also those that nobody needs',
      ),
    ];
  if (linux.seccomp.defaultAction !== 'SCMP_ACT_ALLOW') return [];
  return [
    risk(
      '/linux/seccomp/defaultAction',
      'the profile allows what it does not name',
      'calls of newer kernels are not in it',
    ),
  ];
}

/** Of the host, bound into the container. */
const hostPaths: readonly (readonly [pattern: RegExp, why: string, evenReadOnly: boolean])[] = [
  [
    /^(\/var)?\/run\/(docker|podman\/podman|containerd\/containerd|crio\/crio|k3s\/containerd\/containerd)\.sock$/,
    'who talks to an engine starts containers of any kind: root of the host',
    true,
  ],
  [
    /^(\/var)?\/run(\/(docker|podman|containerd|crio|dbus|systemd))?$/,
    "the sockets of the host's services are in it",
    true,
  ],
  [/^\/$/, 'all files of the host', true],
  [
    /^\/(etc|root|boot|home|var\/lib\/(docker|containers|containerd|kubelet))(\/shadow)?\/?$/,
    'secrets and settings of the host',
    true,
  ],
  [/^\/proc\/?$/, "the host's processes and parameters of the kernel", true],
  [/^\/sys(\/fs\/(cgroup|bpf))?\/?$/, "the host's devices, cgroups and parameters of the kernel", false],
  [/^\/dev\/?$/, "the host's devices", true],
  [
    /^\/dev\/(mem|kmem|port|kmsg|sd[a-z]\d*|nvme\S*|vd[a-z]\d*|dm-\d+)$/,
    'a device of the host, to be read or written below all file systems',
    true,
  ],
  [/^\/(usr|bin|sbin|lib|lib64|opt|var)\/?$/, 'programs of the host', false],
];

const isReadOnly = (options: readonly string[]): boolean => options.includes('ro') || options.includes('rro');

function bindRisk({ source = '', options = [] }: Mount, pointer: string): BundleFinding[] {
  const path = source.length > 1 ? source.replace(/\/+$/, '') : source;
  const row = hostPaths.find(([pattern]) => pattern.test(path));
  if (row === undefined) return [];
  const [, why, evenReadOnly] = row;
  if (isReadOnly(options) && !evenReadOnly) return [];
  const how = isReadOnly(options) ? 'read-only' : 'writable';
  return [risk(`${pointer}/source`, `'${source}' of the host is in it, ${how}`, why)];
}

function mountRisks({ mounts = [], linux }: Spec): BundleFinding[] {
  return mounts.flatMap((mount, index) => {
    const { type, options = [], destination } = mount;
    const pointer = `/mounts/${index}`;
    const findings: BundleFinding[] = [];
    if (options.includes('bind') || options.includes('rbind')) findings.push(...bindRisk(mount, pointer));
    else if (type === 'sysfs' && !isReadOnly(options))
      findings.push(
        risk(
          `${pointer}/options`,
          `${destination} (sysfs) is writable`,
          'devices and parameters of the kernel can be changed',
        ),
      );
    else if (
      (type === 'cgroup' || type === 'cgroup2') &&
      !isReadOnly(options) &&
      !(linux?.namespaces ?? []).some(({ type: t }) => t === 'cgroup')
    )
      findings.push(
        risk(
          `${pointer}/options`,
          `${destination} (${type}) is writable, without a cgroup namespace`,
          "the host's cgroups can be changed, and with them the container's own limits",
        ),
      );
    const propagation = options.findIndex((option) => option === 'shared' || option === 'rshared');
    if (propagation >= 0)
      findings.push(
        risk(
          `${pointer}/options/${propagation}`,
          `mounts made in ${destination} appear on the host`,
          'it has a part in the mount table of the host',
        ),
      );
    return findings;
  });
}

function deviceRisks({ linux }: Spec): BundleFinding[] {
  const rules = (linux?.resources?.devices ?? []).flatMap(({ allow, type, major, access }, index) => {
    if (!allow || (major !== undefined && major !== -1)) return [];
    // What engines allow: to make any node is harmless as long as it cannot be opened.
    if (access === 'm') return [];
    const kinds = type === 'b' ? 'every block device' : type === 'c' ? 'every character device' : 'every device';
    return [
      risk(`/linux/resources/devices/${index}`, `${kinds} is allowed`, 'disks and memory of the host can be opened'),
    ];
  });
  const nodes = (linux?.devices ?? []).flatMap(({ type, path, major }, index) => {
    if (type === 'b')
      return [
        risk(
          `/linux/devices/${index}`,
          `${path} is a block device of the host`,
          'it is read and written below all file systems',
        ),
      ];
    return type === 'c' && major === 1 && /\/(mem|kmem|port)$/.test(path)
      ? [risk(`/linux/devices/${index}`, `${path} is the memory of the machine`, 'it holds everything')]
      : [];
  });
  return [...rules, ...nodes];
}

/** What /proc shows of the kernel; a user namespace protects most of it. */
function procRisks({ linux, mounts = [] }: Spec): BundleFinding[] {
  if (!mounts.some(({ type }) => type === 'proc') || (linux?.namespaces ?? []).some(({ type }) => type === 'user'))
    return [];
  const masked = linux?.maskedPaths ?? [];
  const readonly = [...masked, ...(linux?.readonlyPaths ?? [])];
  const findings: BundleFinding[] = [];
  if (!masked.includes('/proc/kcore'))
    findings.push(
      risk(
        '/linux/maskedPaths',
        '/proc/kcore is not masked',
        "root inside reads the kernel's memory, where the file is there",
      ),
    );
  for (const path of ['/proc/sys', '/proc/sysrq-trigger'])
    if (!readonly.includes(path) && !readonly.includes('/proc'))
      findings.push(
        risk('/linux/readonlyPaths', `${path} is not read-only`, 'root inside changes parameters of the whole host'),
      );
  return findings;
}

function rootRisks({ root, linux }: Spec): BundleFinding[] {
  const findings: BundleFinding[] = [];
  if (root?.path === '/') findings.push(risk('/root/path', "the root is the host's own", 'all files of the host'));
  if (linux?.rootfsPropagation === 'shared')
    findings.push(
      risk(
        '/linux/rootfsPropagation',
        'mounts made in the root appear on the host',
        'it has a part in the mount table of the host',
      ),
    );
  return findings;
}

/** @param asRoot whether the container's ids are the host's: the runtime is root, and in no user namespace. */
export const risksOf = (spec: Spec, asRoot: boolean): BundleFinding[] => [
  ...rootRisks(spec),
  ...namespaceRisks(spec, asRoot),
  ...capabilityRisks(spec),
  ...seccompRisks(spec),
  ...mountRisks(spec),
  ...procRisks(spec),
  ...deviceRisks(spec),
];
