// What grows in the second part of the bench: a config made larger in one way, or more of something on the host.
import { type Config, defaultConfig, podmanSeccomp } from './bundles.js';

export interface Curve {
  readonly name: string;
  readonly sizes: readonly number[];
  /** The config of that size. */
  readonly config: (size: number) => Config;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

function curve(name: string, sizes: readonly number[], change: (config: Config, size: number) => void): Curve {
  const config = (size: number): Config => {
    const made = defaultConfig();
    made.process.args = ['/bin/sleep', '1000'];
    change(made, size);
    return made;
  };
  return { name, sizes, config };
}

const tmpfs = { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['size=64m'] };

/** Text of so many KiB in annotations of 1 KiB each, and `odd` once at the end. */
function fill(config: Config, kibibytes: number, odd: string): void {
  const entries = numbers(kibibytes).map((i) => [`org.example.filler.${i}`, 'x'.repeat(990)]);
  config.annotations = Object.fromEntries([...entries, ['org.example.odd', odd]]);
}

/** podman's rules, and `times` - 1 further ones for each call, which ask for an argument. */
function profileOf(times: number): Record<string, unknown> | undefined {
  const profile = podmanSeccomp();
  if (profile === undefined) return undefined;
  const rules = profile.syscalls as { names: string[]; action: string; args?: unknown[] }[];
  const plain = rules.filter(({ args, action }) => args === undefined && action === 'SCMP_ACT_ALLOW');
  const more = numbers(times - 1).flatMap((k) =>
    plain.map(({ names }) => ({
      names,
      action: 'SCMP_ACT_LOG',
      args: [{ index: k + 1, value: k + 77, op: 'SCMP_CMP_EQ' }],
    })),
  );
  return { ...profile, syscalls: [...rules, ...more] };
}

/** The escape as it stands in the file: JSON.stringify would write the character. */
export const escapedPair = '@PAIR@';

export const curves: readonly Curve[] = [
  curve('mounts', [10, 100, 1000], (config, size) => {
    const binds = numbers(size).map((i) => ({
      ...{ destination: `/tmp/m${i}`, type: 'bind', source: '/etc' },
      options: ['rbind', 'ro'],
    }));
    config.mounts = [...(config.mounts as unknown[]), tmpfs, ...binds];
  }),
  curve('environment variables', [10, 100, 1000, 10_000], (config, size) => {
    config.process.env = numbers(size).map((i) => `VARIABLE_${i}=value of number ${i}`);
  }),
  curve('device rules', [10, 100, 1000, 3000], (config, size) => {
    const rules = numbers(size).map((i) => ({
      ...{ allow: true, type: 'c', major: 300 + (i >> 8), minor: i & 255 },
      access: 'rw',
    }));
    config.linux.resources = { devices: [{ allow: false, access: 'rwm' }, ...rules] };
  }),
  curve('devices', [10, 100, 1000, 3000], (config, size) => {
    config.linux.devices = numbers(size).map((i) => ({ path: `/dev/n${i}`, type: 'c', major: 1, minor: 3 }));
  }),
  curve('masked paths', [10, 100, 1000, 3000], (config, size) => {
    config.linux.maskedPaths = numbers(size).map((i) => `/nowhere/${i}`);
  }),
  curve('hooks', [1, 10, 100], (config, size) => {
    config.hooks = { createRuntime: numbers(size).map(() => ({ path: '/bin/true' })) };
  }),
  curve('annotations', [10, 100, 1000, 10_000], (config, size) => {
    config.annotations = Object.fromEntries(numbers(size).map((i) => [`org.example.number.${i}`, `value ${i}`]));
  }),
  ...(podmanSeccomp() === undefined
    ? []
    : [
        curve("times podman's seccomp profile, new", [1, 5], (config, size) => {
          config.linux.seccomp = profileOf(size);
        }),
      ]),
  curve('KiB of config', [100, 1000, 9000], (config, size) => fill(config, size, 'e')),
  curve('KiB of config with one é', [100, 1000, 9000], (config, size) => fill(config, size, 'é')),
  curve('KiB of config with one \\ud83d\\ude00', [100, 1000, 9000], (config, size) => fill(config, size, escapedPair)),
];
