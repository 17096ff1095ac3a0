import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { type Case, expect, same, skip, topic } from '../harness.js';

const modern = { '/ociVersion': '1.2.0' };
const nice = {
  '/process/capabilities': { bounding: ['CAP_SYS_NICE'], effective: ['CAP_SYS_NICE'], permitted: ['CAP_SYS_NICE'] },
};

/** Fields of /proc/PID/stat, counted from the first after the name. */
const field = (stat: string, number: number) => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[number - 3]!;

export function schedulingCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('scheduling', cases);
  // Where the value is what most processes have anyway, the runtime itself gets another one: it must not be inherited.
  for (const [policy, number] of [
    ['SCHED_OTHER', 0],
    ['SCHED_BATCH', 3],
    ['SCHED_IDLE', 5],
  ] as const) {
    test(`scheduler-${policy}`, ['config.process.scheduler'], async (box) => {
      const wrapper = policy === 'SCHED_OTHER' ? ['chrt', '--batch', '0'] : [];
      const out = await box.sh('cat /proc/self/stat', { ...modern, '/process/scheduler': { policy } }, wrapper);
      same(field(out, 41), String(number), 'policy');
    });
  }
  for (const value of [0, 5, 19]) {
    test(`scheduler-nice-${value}`, ['config.process.scheduler'], async (box) => {
      const changes = { ...modern, '/process/scheduler': { policy: 'SCHED_OTHER', nice: value } };
      const out = await box.sh('cat /proc/self/stat', changes, value === 0 ? ['nice', '-n', '3'] : []);
      same(field(out, 19), String(value), 'nice');
    });
  }
  for (const [policy, number] of [
    ['SCHED_FIFO', 1],
    ['SCHED_RR', 2],
  ] as const) {
    test(`scheduler-${policy}`, ['config.process.scheduler'], async (box) => {
      const probe = await box.spawned('chrt', ['--fifo', '1', 'true']);
      if (probe.code !== 0) skip('no real-time scheduling here');
      const out = await box.sh('cat /proc/self/stat', {
        ...modern,
        ...nice,
        '/process/scheduler': { policy, priority: 7 },
      });
      same([field(out, 41), field(out, 40)], [String(number), '7'], 'policy and priority');
    });
  }
  for (const [slug, value] of [
    ['without-policy', { nice: 5 }],
    ['unknown-policy', { policy: 'SCHED_NOSUCH' }],
    ['unknown-flag', { policy: 'SCHED_OTHER', flags: ['SCHED_FLAG_NOSUCH'] }],
  ] as const) {
    test(`scheduler-${slug}`, ['config.valid-values'], (box) =>
      box.refused({ ...modern, '/process/scheduler': value }),
    );
  }
  for (const [name, text] of [
    ['BE', 'best-effort'],
    ['IDLE', 'idle'],
  ] as const) {
    for (const priority of name === 'BE' ? [0, 3, 7] : [0]) {
      test(`ioPriority-${name}-${priority}`, ['config.process.ioPriority'], async (box) => {
        const out = await box.sh('ionice -p $$', {
          ...modern,
          '/process/ioPriority': { class: `IOPRIO_CLASS_${name}`, priority },
        });
        expect(out.startsWith(text) && (name === 'IDLE' || out.endsWith(String(priority))), out);
      });
    }
  }
  for (const [slug, value] of [
    ['unknown-class', { class: 'IOPRIO_CLASS_NOSUCH', priority: 1 }],
    ['priority-8', { class: 'IOPRIO_CLASS_BE', priority: 8 }],
    ['priority-negative', { class: 'IOPRIO_CLASS_BE', priority: -1 }],
    ['without-class', { priority: 1 }],
  ] as const) {
    test(`ioPriority-${slug}`, ['config.valid-values'], (box) =>
      box.refused({ ...modern, '/process/ioPriority': value }),
    );
  }
  for (const [domain, machine] of [
    ['LINUX', undefined],
    ['LINUX32', 'i686'],
  ] as const) {
    test(`personality-${domain}`, ['linux.personality'], async (box) => {
      if (process.arch !== 'x64') skip('x86-64 only');
      const wrapper = domain === 'LINUX' ? ['setarch', 'i686'] : [];
      const out = await box.sh('uname -m', { '/linux/personality': { domain } }, wrapper);
      same(out, machine ?? 'x86_64', 'machine');
    });
  }
  for (const value of [{ domain: 'NOSUCH' }, { domain: 5 }, {}, { domain: 'LINUX', flags: ['NOSUCH'] }]) {
    test(`personality-${JSON.stringify(value).replace(/[^A-Za-z0-9]+/g, '-')}refused`, ['config.valid-values'], (box) =>
      box.refused({ '/linux/personality': value }),
    );
  }
  for (const [mode, word] of [
    ['MPOL_DEFAULT', 'default'],
    ['MPOL_BIND', 'bind:0'],
    ['MPOL_INTERLEAVE', 'interleave:0'],
    ['MPOL_PREFERRED', 'prefer:0'],
    ['MPOL_LOCAL', 'local'],
  ] as const) {
    test(`memoryPolicy-${mode}`, ['linux.memory-policy'], async (box) => {
      if (
        !readFileSync('/proc/self/status', 'utf8').includes('Mems_allowed') ||
        (await box.spawned('test', ['-e', '/proc/self/numa_maps'])).code !== 0
      )
        skip('a kernel without NUMA');
      const nodes = word.includes(':') ? { nodes: '0' } : {};
      const out = await box.sh('head -n 1 /proc/self/numa_maps', {
        '/ociVersion': '1.3.0',
        '/linux/memoryPolicy': { mode, ...nodes },
      });
      expect(out.split(' ')[1]!.startsWith(word), out);
    });
  }
  test('memoryPolicy-MPOL_WEIGHTED_INTERLEAVE', ['linux.memory-policy'], async (box) => {
    const [major = 0, minor = 0] = release().split('.').map(Number);
    const changes = { '/ociVersion': '1.3.0', '/linux/memoryPolicy': { mode: 'MPOL_WEIGHTED_INTERLEAVE', nodes: '0' } };
    if (major > 6 || (major === 6 && minor >= 9)) {
      if ((await box.spawned('test', ['-e', '/proc/self/numa_maps'])).code !== 0) skip('a kernel without NUMA');
      const out = await box.sh('head -n 1 /proc/self/numa_maps', changes);
      expect(out.includes(' weighted interleave:0 '), out);
    } else await box.refused(changes);
  });
  for (const [slug, value] of [
    ['without-mode', { nodes: '0' }],
    ['unknown-mode', { mode: 'MPOL_NOSUCH' }],
    ['unknown-flag', { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_NOSUCH'] }],
  ] as const) {
    test(`memoryPolicy-${slug}`, ['linux.memory-policy', 'config.valid-values'], (box) =>
      box.refused({ '/ociVersion': '1.3.0', '/linux/memoryPolicy': value }),
    );
  }
  test('exec-affinity-unchanged', ['config.process.exec-affinity-unchanged'], async (box) => {
    await box.started('sleep 30');
    const inside = await box.ok('exec', box.id, 'grep', 'Cpus_allowed_list', '/proc/self/status');
    const outside = /Cpus_allowed_list:.*/.exec(readFileSync('/proc/self/status', 'utf8'))![0];
    same(inside.stdout.trim(), outside, 'affinity');
  });
  test('exec-affinity-final', ['config.process.exec-affinity-unchanged'], async (box) => {
    await box.started('sleep 30', { ...modern, '/process/execCPUAffinity': { initial: '0', final: '0' } });
    const inside = await box.ok('exec', box.id, 'grep', 'Cpus_allowed_list', '/proc/self/status');
    same(inside.stdout.trim().split(/\s+/)[1], '0', 'affinity');
  });
  return cases;
}
