// What people feel: `podman run --rm` a hundred times in a row. Most of it is podman's own work, so blocks of the runtimes alternate.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fastest, median, type Row } from './statistics.js';

const blocks = 20;
const runsPerBlock = 5;

const settings = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

/** Whether podman can be measured here. */
export const hasPodman = (): boolean => spawnSync('podman', ['--version']).status === 0;

/** Time of a hundred `podman run --rm`, from alternating blocks of five. `rootfs` is what the image is made of. */
export function podmanRuns(name: string, runtimes: ReadonlyMap<string, string>, work: string, rootfs: string): Row {
  const row: Row = {
    name,
    unit: 'ms',
    bars: [{ peer: 'runc', factor: 0.9 }],
    values: new Map(),
    fastest: new Map(),
    samples: blocks,
    failures: new Map(),
  };
  const folder = join(work, 'podman');
  mkdirSync(folder);
  const conf = join(folder, 'containers.conf');
  writeFileSync(conf, settings);
  const env = { ...process.env, CONTAINERS_CONF: conf };
  const podman = `podman --root ${folder}/root --runroot ${folder}/runroot --tmpdir ${folder}/libpod`;
  try {
    execFileSync('sh', ['-c', `tar -C ${rootfs} -cf - . | ${podman} import -q - box`], { env, stdio: 'ignore' });
    const loop = `i=0; while [ $i -lt ${runsPerBlock} ]; do $* || exit; i=$((i + 1)); done`;
    const times = new Map([...runtimes.keys()].map((label) => [label, [] as number[]]));
    const labels = [...runtimes.keys()];
    for (let block = -1; block < blocks; block++) {
      // Each round begins with another one. Round -1 warms caches and is not reported.
      for (const offset of labels.keys()) {
        const label = labels[(offset + block + 1) % labels.length] ?? '';
        if (row.failures.has(label)) continue;
        const command = `${podman} --runtime ${runtimes.get(label)} run --rm --network none box /bin/true`;
        const began = performance.now();
        const result = spawnSync('sh', ['-c', loop, 'sh', ...command.split(' ')], {
          env,
          encoding: 'utf8',
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        const time = ((performance.now() - began) * 100) / runsPerBlock;
        if (result.status !== 0) row.failures.set(label, (result.stderr ?? '').trim());
        else if (block >= 0) times.get(label)?.push(time);
      }
    }
    for (const [label, list] of times) {
      row.values.set(label, row.failures.has(label) ? undefined : median(list));
      row.fastest.set(label, row.failures.has(label) ? undefined : fastest(list));
    }
    return row;
  } finally {
    spawnSync('sh', ['-c', `${podman} rm -fa -t 0`], { env, stdio: 'ignore' });
    spawnSync('umount', [`${folder}/root/overlay`], { stdio: 'ignore' });
    // podman keeps the cgroups above its containers for the next one.
    const cgroups =
      "find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' -exec rmdir {} +; rmdir /sys/fs/cgroup/*/conmon";
    spawnSync('sh', ['-c', cgroups], { stdio: 'ignore' });
  }
}
