// The configuration that cases start from, and how they change it: a JSON pointer to a value.

export type Changes = Readonly<Record<string, unknown>>;
type Tree = Record<string, unknown>;

const capabilities = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SYS_ADMIN',
];

/** A mount of a file system that the kernel makes up. */
const special = (destination: string, type: string, ...options: string[]): Tree => ({
  ...{ destination, type, source: type },
  ...(options.length > 0 ? { options } : {}),
});

export function baseConfig(cgroup: string): Tree {
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ['/bin/true'],
      env: ['PATH=/bin', 'HOME=/root'],
      cwd: '/',
      capabilities: {
        bounding: [...capabilities],
        effective: [...capabilities],
        permitted: [...capabilities],
      },
    },
    root: { path: 'rootfs', readonly: false },
    mounts: [
      special('/proc', 'proc'),
      special('/dev', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
      special('/dev/pts', 'devpts', 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'),
    ],
    linux: {
      cgroupsPath: cgroup,
      namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'ipc' }, { type: 'uts' }],
    },
  };
}

/** A value of undefined removes the key; '-' as the last part appends. */
export function changed(config: Tree, changes: Changes): Tree {
  for (const [pointer, value] of Object.entries(changes)) {
    const parts = pointer.split('/').slice(1);
    const last = parts.pop()!.replaceAll('~1', '/');
    let at: Tree = config;
    for (const part of parts) {
      const key = part.replaceAll('~1', '/');
      at[key] ??= {};
      at = at[key] as Tree;
    }
    if (Array.isArray(at) && last === '-') at.push(value);
    else if (value === undefined) delete at[last];
    else Object.defineProperty(at, last, { value, enumerable: true, configurable: true, writable: true });
  }
  return config;
}

/** JSON with BigInts as exact numbers. */
export function encode(config: unknown): string {
  const text = JSON.stringify(config, (_key, value) => (typeof value === 'bigint' ? `\u0001${value}\u0001` : value), 1);
  return text.replace(/"\\u0001(-?\d+)\\u0001"/g, '$1');
}

/** The base namespaces and these, as the value of /linux/namespaces. */
export function namespaces(...more: Array<string | { type: string; path?: string }>): unknown[] {
  const added = more.map((item) => (typeof item === 'string' ? { type: item } : item));
  const names = new Set(added.map((item) => item.type));
  const base = ['pid', 'mount', 'ipc', 'uts'].filter((type) => !names.has(type)).map((type) => ({ type }));
  return [...base, ...added];
}

export function tmpfs(destination: string, ...options: string[]): unknown {
  return { destination, type: 'tmpfs', source: 'tmpfs', options };
}

export function bind(source: string, destination: string, ...options: string[]): unknown {
  return {
    destination,
    type: 'none',
    source,
    options: [options.some((o) => o === 'rbind') ? 'rbind' : 'bind', ...options.filter((o) => o !== 'rbind')],
  };
}
