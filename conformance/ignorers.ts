// Does every case notice a runtime that ignores the key it is about? A runtime in front of a good one takes the key out of the
// configuration; the cases that prove the requirement must fail then.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case } from './harness.js';

/** The key, the requirement, and cases that may pass: what they configure is there, or refused, without the key, too. */
type Row = readonly [pointer: string, requirement: string, except?: RegExp];

const rows: readonly Row[] = [
  ['/process/rlimits', 'config.rlimits.soft', /rlimits\/(NICE|RTPRIO)$/],
  ['/process/rlimits', 'config.rlimits.duplicates'],
  ['/process/capabilities', 'config.capabilities.sets', /none$|bounding-only|a-removed-one/],
  ['/process/noNewPrivileges', 'config.process.noNewPrivileges', /-(false|unset)$/],
  ['/process/oomScoreAdj', 'config.process.oom-set'],
  ['/process/scheduler', 'config.process.scheduler'],
  ['/process/ioPriority', 'config.process.ioPriority'],
  ['/process/user/additionalGids', 'config.user.groups', /none$|umask/],
  ['/process/user/umask', 'config.user.groups', /umask-22|additional/],
  ['/process/env', 'config.process.env', /stays-out/],
  ['/process/execCPUAffinity', 'config.process.exec-affinity-unchanged', /unchanged$/],
  ['/root/readonly', 'config.root.readonly', /writable$/],
  ['/mounts', 'config.mounts.order', /no-mounts-at-all/],
  ['/mounts', 'linux.default-filesystems'],
  ['/mounts', 'config.mounts.option.bind'],
  ['/mounts', 'config.mounts.option.rbind'],
  ['/hostname', 'config.hostname', /hostname-(without-uts|65)$/],
  ['/domainname', 'config.domainname', /-65$/],
  ...['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'].flatMap(
    (kind): Row[] => [
      [`/hooks/${kind}`, `config.hooks.${kind}.when`],
      [`/hooks/${kind}`, `config.hooks.${kind}.namespace`],
      [`/hooks/${kind}`, `runtime.lifecycle.${kind}`],
    ],
  ),
  ['/hooks', 'config.hooks.state'],
  ['/hooks', 'config.hooks.order'],
  ['/hooks', 'config.hooks.timeout'],
  ['/annotations', 'runtime.state.annotations', /no-annotations|id-and-bundle/],
  ['/annotations', 'config.annotations.stop-signal'],
  ['/linux/namespaces', 'linux.namespaces.new', /loopback|namespace-hides/],
  ['/linux/namespaces', 'linux.namespaces.join', /user-/],
  ['/linux/namespaces', 'linux.namespaces.duplicates', /user-/],
  ['/linux/uidMappings', 'linux.idmap.mappings', /bad-input/],
  ['/linux/timeOffsets', 'linux.time-offsets'],
  ['/linux/devices', 'linux.devices.available', /existing-device-is-the-one/],
  ['/linux/devices', 'linux.devices.mismatch'],
  ['/linux/netDevices', 'linux.netdevices.move'],
  ['/linux/netDevices', 'linux.netdevices.clash'],
  ['/linux/netDevices', 'linux.netdevices.attributes'],
  ['/linux/netDevices', 'linux.netdevices.not-back'],
  ['/linux/cgroupsPath', 'linux.cgroups.path-absolute'],
  ['/linux/cgroupsPath', 'linux.cgroups.path-stable'],
  ['/linux/resources/devices', 'linux.resources.devices-order', /denied$|other-major|only-writing|keeps-null/],
  ['/linux/resources/memory', 'linux.resources.memory', /unlimited$/],
  ['/linux/resources/cpu', 'linux.resources.cpu', /unlimited$|mems$/],
  ['/linux/resources/pids', 'linux.resources.pids', /unlimited$/],
  ['/linux/resources/pids', 'linux.pids.zero'],
  ['/linux/resources/blockIO', 'linux.resources.blockio'],
  ['/linux/resources/hugepageLimits', 'linux.resources.hugepages'],
  ['/linux/resources/unified', 'linux.unified.controllers'],
  ['/linux/resources', 'linux.resources.no-conversion'],
  ['/linux/memoryPolicy', 'linux.memory-policy', /MPOL_DEFAULT$/],
  ['/linux/sysctl', 'linux.sysctl'],
  ['/linux/seccomp', 'linux.seccomp.rules', /SCMP_ACT_ALLOW|is-skipped|architectures/],
  ['/linux/seccomp', 'linux.seccomp.state-json'],
  ['/linux/rootfsPropagation', 'linux.rootfs-propagation', /propagation-r?(slave|private)$|rprivate-of-a-shared/],
  ['/linux/maskedPaths', 'linux.masked-paths.masked', /missing-is-nothing|null-of-the-image/],
  ['/linux/readonlyPaths', 'linux.readonly-paths.readonly', /missing-is-nothing/],
  ['/linux/personality', 'linux.personality'],
];

const program = (runtime: string, pointer: string) => `#!${process.execPath}
const { spawnSync } = require('node:child_process');
const { readFileSync, writeFileSync } = require('node:fs');
const args = process.argv.slice(2);
const at = args.findIndex((word) => word === '--bundle' || word === '-b');
if (at >= 0) try {
  const file = args[at + 1] + '/config.json';
  const config = JSON.parse(readFileSync(file, 'utf8'));
  const parts = ${JSON.stringify(pointer.split('/').slice(1))};
  const last = parts.pop();
  delete parts.reduce((here, part) => here[part], config)[last];
  writeFileSync(file, JSON.stringify(config));
} catch {}
const { status, signal } = spawnSync(${JSON.stringify(runtime)}, args, { stdio: 'inherit' });
process.exitCode = signal ? 128 + 9 : status;
`;

/** Runs the cases of each row; answers how many failed, as they must, and how many were blind. */
export async function ignoringTest(
  runtime: string,
  cases: readonly Case[],
  runAll: (runtime: string, cases: readonly Case[]) => Promise<ReadonlyMap<string, string>>,
): Promise<{ noticed: number; blind: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'ignorers-'));
  chmodSync(folder, 0o755);
  let [noticed, blind] = [0, 0];
  try {
    for (const [index, [pointer, requirement, except]] of rows.entries()) {
      const ignorer = join(folder, String(index));
      writeFileSync(ignorer, program(runtime, pointer), { mode: 0o755 });
      const chosen = cases.filter((item) => item.proves.includes(requirement) && !except?.test(item.id));
      for (const [id, verdict] of await runAll(ignorer, chosen)) {
        if (verdict.startsWith('not ok')) noticed += 1;
        else if (verdict === 'ok') {
          blind += 1;
          console.log(`# blind: ${id} (${requirement}) passes with a runtime that ignores ${pointer}`);
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { noticed, blind };
}
