import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Resources } from '../../bundle/types.js';
import type { TsrunError } from '../../errors/error.js';
import type { HostFacts } from '../../linux/facts.js';
import { weightOfShares } from './cgroup-cpu.js';
import { ioWeightOf } from './cgroup-io.js';
import { placeCgroup } from './cgroup-placement.js';
import { compileResources } from './cgroup-resources.js';
import { hostFacts, type TestHost } from './cgroup-test-facts.js';

function compile(mode: HostFacts['cgroupMode'], resources: Resources, host: TestHost = {}, update = false) {
  const { places } = placeCgroup('/c', 'web', hostFacts(mode, host), 'cgroupfs');
  return { places, ...compileResources(resources, places, '/r', update) };
}

/** `file=value`, with what is tolerated and which is an alternative to which. */
function written(mode: HostFacts['cgroupMode'], resources: Resources, host: TestHost = {}, update = false): string[] {
  return compile(mode, resources, host, update).settings.map(
    ({ file, value, tolerate, orElseNext }) =>
      `${file}=${value}${tolerate ? ` ?${tolerate.join(',')}` : ''}${orElseNext ? ' or' : ''}`,
  );
}

/** Code and pointer of the refusal. */
function refusal(mode: HostFacts['cgroupMode'], resources: Resources, host: TestHost = {}): string {
  try {
    compile(mode, resources, host);
  } catch (error) {
    const { code, pointer } = (error as TsrunError).failure;
    return `${code} ${pointer}`;
  }
  return 'accepted';
}

const unset = {
  memory: { limit: 0, swap: 0, reservation: 0, kernel: 0, kernelTCP: -1, disableOOMKiller: false, useHierarchy: false },
  cpu: { shares: 0, quota: 0, period: 0, realtimeRuntime: 0, realtimePeriod: 0, cpus: '', mems: '', burst: 0, idle: 0 },
  pids: {},
  blockIO: { weight: 0, leafWeight: 0, weightDevice: [], throttleReadBpsDevice: [] },
  hugepageLimits: [],
  network: { classID: 0, priorities: [] },
  rdma: {},
  unified: {},
};

test('writes nothing for values that are zero, empty or null, whatever controllers there are', () => {
  for (const mode of ['v1', 'v2', 'hybrid', 'none'] as const) {
    assert.equal(written(mode, unset), [], mode);
    assert.equal(written(mode, unset, { controllers: [] }), [], mode);
  }
  const nulls = {
    memory: { limit: null, swap: null },
    cpu: { shares: null, cpus: null },
    pids: { limit: null },
    blockIO: null,
  };
  assert.equal(written('v2', nulls as unknown as Resources), []);
});

test('memory on v1: tries the sum of memory and swap first, so that the order fits in both directions', () => {
  assert.equal(written('v1', { memory: { limit: 100, swap: 200, reservation: 50 } }), [
    'memory.memsw.limit_in_bytes=200 ?EINVAL',
    'memory.limit_in_bytes=100',
    'memory.memsw.limit_in_bytes=200',
    'memory.soft_limit_in_bytes=50',
  ]);
  assert.equal(written('v1', { memory: { limit: 100 } }), ['memory.limit_in_bytes=100']);
});

test('memory on v1: lifting the limit lifts the sum first, if swap is accounted at all', () => {
  const lifted = ['memory.memsw.limit_in_bytes=-1 ?ENOENT', 'memory.limit_in_bytes=-1'];
  assert.equal(written('v1', { memory: { limit: -1 } }), lifted);
  assert.equal(written('v1', { memory: { limit: -1, swap: -1 } }), lifted);
  assert.equal(written('v1', { memory: { swap: -1 } }), ['memory.memsw.limit_in_bytes=-1 ?ENOENT']);
});

test('memory on v1: the settings v2 does not have', () => {
  assert.equal(written('v1', { memory: { swappiness: 0, disableOOMKiller: true, useHierarchy: true } }), [
    'memory.oom_control=1',
    'memory.use_hierarchy=1 ?ENOENT',
    'memory.swappiness=0',
  ]);
});

test('memory on v2: swap is what is beyond memory', () => {
  assert.equal(written('v2', { memory: { limit: 100, swap: 300, reservation: 50 } }), [
    'memory.swap.max=200',
    'memory.max=100',
    'memory.low=50',
  ]);
});

test('memory on v2: equal limits forbid swap instead of leaving it unlimited', () => {
  assert.equal(written('v2', { memory: { limit: 100, swap: 100 } }), ['memory.swap.max=0 ?ENOENT', 'memory.max=100']);
});

test('memory on v2: -1 is max', () => {
  const lifted = ['memory.swap.max=max ?ENOENT', 'memory.max=max'];
  assert.equal(written('v2', { memory: { limit: -1 } }), lifted);
  assert.equal(written('v2', { memory: { limit: -1, swap: -1 } }), lifted);
  assert.equal(written('v2', { memory: { limit: 100, swap: -1 } }), ['memory.swap.max=max ?ENOENT', 'memory.max=100']);
});

test('memory: 64-bit values are exact', () => {
  const limit = 9_223_372_036_854_771_711n;
  const swap = 9_223_372_036_854_771_713n;
  assert.equal(written('v2', { memory: { limit, swap } }), ['memory.swap.max=2', `memory.max=${limit}`]);
});

test('memory: refuses contradictions with the pointer of the wrong value', () => {
  for (const mode of ['v1', 'v2'] as const) {
    assert.is(refusal(mode, { memory: { limit: 200, swap: 100 } }), 'TSR_CGROUP_VALUE /r/memory/swap');
    assert.is(refusal(mode, { memory: { swap: 100 } }), 'TSR_CGROUP_VALUE /r/memory/swap');
    assert.is(refusal(mode, { memory: { limit: -2 } }), 'TSR_CGROUP_VALUE /r/memory/limit');
    assert.is(refusal(mode, { memory: { swappiness: 101 } }), 'TSR_CGROUP_VALUE /r/memory/swappiness');
  }
});

test('memory on v2: refuses what cannot be converted', () => {
  assert.is(refusal('v2', { memory: { swappiness: 60 } }), 'TSR_CGROUP_NO_EQUIVALENT /r/memory/swappiness');
  assert.is(
    refusal('v2', { memory: { disableOOMKiller: true } }),
    'TSR_CGROUP_NO_EQUIVALENT /r/memory/disableOOMKiller',
  );
});

test('memory on v1: the limit for TCP buffers is written; the one for kernel memory is no more than a warning', () => {
  const { warnings } = compile('v1', { memory: { kernel: 1000, kernelTCP: 2000 } });
  assert.equal(
    warnings.map(({ pointer }) => pointer),
    ['/r/memory/kernel'],
  );
  const kernelTCP = { memory: { kernel: 1000, kernelTCP: 2000 } };
  assert.equal(written('v1', kernelTCP), ['memory.kmem.tcp.limit_in_bytes=2000']);
  assert.equal(written('v1', { memory: { kernelTCP: -1 } }, {}, true), ['memory.kmem.tcp.limit_in_bytes=-1 ?ENOENT']);
});

test('memory: a limit for TCP buffers needs the controller', () => {
  const none = { controllers: ['cpu'] };
  assert.is(refusal('v1', { memory: { kernelTCP: 2000 } }, none), 'TSR_CGROUP_CONTROLLER /r/memory/kernelTCP');
});

test('memory on v2: refuses limits for kernel memory, but not their absence', () => {
  assert.is(refusal('v2', { memory: { kernel: 1000 } }), 'TSR_CGROUP_NO_EQUIVALENT /r/memory/kernel');
  assert.is(refusal('v2', { memory: { kernelTCP: 1000 } }), 'TSR_CGROUP_NO_EQUIVALENT /r/memory/kernelTCP');
  assert.equal(written('v2', { memory: { kernel: -1, kernelTCP: -1 } }, {}, true), []);
});

test('cpu on v1', () => {
  assert.equal(
    written('v1', { cpu: { shares: 512, quota: 20_000, period: 100_000, burst: 5000, cpus: '0-1', mems: '0' } }),
    [
      'cpu.shares=512',
      'cpu.cfs_period_us=100000',
      'cpu.cfs_quota_us=20000',
      'cpu.cfs_burst_us=5000',
      'cpuset.cpus=0-1',
      'cpuset.mems=0',
    ],
  );
  assert.equal(written('v1', { cpu: { quota: -5 } }), ['cpu.cfs_quota_us=-1']);
  assert.equal(written('v1', { cpu: { realtimeRuntime: 1000, realtimePeriod: 5000 } }), [
    'cpu.rt_period_us=5000 ?EINVAL',
    'cpu.rt_runtime_us=1000',
  ]);
});

test('cpu on v1, in a cgroup with values: tries period and burst before the quota and sets them after', () => {
  assert.equal(written('v1', { cpu: { quota: 20_000, period: 100_000, burst: 5000 } }, {}, true), [
    'cpu.cfs_period_us=100000 ?EINVAL',
    'cpu.cfs_burst_us=5000 ?EINVAL,ENOENT',
    'cpu.cfs_quota_us=20000',
    'cpu.cfs_period_us=100000',
    'cpu.cfs_burst_us=5000',
  ]);
});

test('cpu on v2: quota and period are one line', () => {
  assert.equal(
    written('v2', { cpu: { shares: 1024, quota: 20_000, period: 50_000, burst: 5000, cpus: '0', mems: '0-1' } }),
    ['cpu.weight=100', 'cpu.max=20000 50000', 'cpu.max.burst=5000', 'cpuset.cpus=0', 'cpuset.mems=0-1'],
  );
  assert.equal(written('v2', { cpu: { quota: 20_000 } }), ['cpu.max=20000 100000']);
  assert.equal(written('v2', { cpu: { period: 20_000 } }), ['cpu.max=max 20000']);
  assert.equal(written('v2', { cpu: { quota: -1 } }), ['cpu.max=max 100000']);
});

test('cpu: an idle group takes no weight', () => {
  const { settings, warnings } = compile('v2', { cpu: { idle: 1, shares: 512 } });
  assert.equal(
    settings.map(({ file }) => file),
    ['cpu.idle'],
  );
  assert.is(warnings[0]?.pointer, '/r/cpu/shares');
  assert.equal(written('v1', { cpu: { idle: 0, shares: 512 } }, {}, true), ['cpu.idle=0 ?ENOENT', 'cpu.shares=512']);
});

test('cpu: refuses contradictions and what v2 cannot do', () => {
  assert.is(refusal('v1', { cpu: { quota: 1000, burst: 2000 } }), 'TSR_CGROUP_VALUE /r/cpu/burst');
  assert.is(refusal('v2', { cpu: { idle: 2 } }), 'TSR_CGROUP_VALUE /r/cpu/idle');
  assert.is(refusal('v1', { cpu: { shares: 1 } }), 'TSR_CGROUP_VALUE /r/cpu/shares');
  assert.is(refusal('v1', { cpu: { shares: 300_000 } }), 'TSR_CGROUP_VALUE /r/cpu/shares');
  assert.is(refusal('v2', { cpu: { realtimeRuntime: 1 } }), 'TSR_CGROUP_NO_EQUIVALENT /r/cpu/realtimeRuntime');
  assert.is(refusal('v2', { cpu: { realtimePeriod: 1 } }), 'TSR_CGROUP_NO_EQUIVALENT /r/cpu/realtimePeriod');
});

test('cpu weight: the curve through (2, 1), (1024, 100) and (262144, 10000)', () => {
  const pairs = [
    [1, 1],
    [2, 1],
    [3, 2],
    [10, 4],
    [100, 17],
    [512, 59],
    [1024, 100],
    [2048, 174],
    [10_000, 627],
    [262_144, 10_000],
    [1_000_000, 10_000],
  ] as const;
  for (const [shares, weight] of pairs) assert.is(weightOfShares(shares), weight, String(shares));
});

test('pids: 0 forbids forks, -1 is no limit, absent is nothing', () => {
  for (const mode of ['v1', 'v2'] as const) {
    assert.equal(written(mode, { pids: { limit: 100 } }), ['pids.max=100']);
    assert.equal(written(mode, { pids: { limit: 0 } }), ['pids.max=1']);
    assert.equal(written(mode, { pids: { limit: -1 } }), ['pids.max=max']);
    assert.equal(written(mode, { pids: {} }), []);
  }
  assert.equal(written('v2', { pids: { limit: -1 } }, { controllers: ['memory'] }), []);
  assert.is(refusal('v2', { pids: { limit: -2 } }), 'TSR_CGROUP_VALUE /r/pids/limit');
});

test('block io on v1: the file of the default scheduler, else that of BFQ', () => {
  assert.equal(
    written('v1', {
      blockIO: {
        weight: 500,
        leafWeight: 300,
        weightDevice: [{ major: 8, minor: 0, weight: 400, leafWeight: 200 }],
        throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1000 }],
        throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 0 }],
      },
    }),
    [
      'blkio.weight=500 ?ENOENT or',
      'blkio.bfq.weight=500',
      'blkio.leaf_weight=300',
      'blkio.weight_device=8:0 400 ?ENOENT or',
      'blkio.bfq.weight_device=8:0 400',
      'blkio.leaf_weight_device=8:0 200',
      'blkio.throttle.read_bps_device=8:0 1000',
      'blkio.throttle.write_iops_device=8:16 0',
    ],
  );
});

test('block io on v2: BFQ first, else the converted weight; one device a write', () => {
  assert.equal(
    written('v2', {
      blockIO: {
        weight: 500,
        weightDevice: [{ major: 8, minor: 0, weight: 10 }],
        throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1000 }],
        throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: 18_446_744_073_709_551_615n }],
        throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 5 }],
        throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 0 }],
      },
    }),
    [
      'io.bfq.weight=500 ?ENOENT or',
      'io.weight=4950',
      'io.bfq.weight=8:0 10 ?ENOENT or',
      'io.weight=8:0 1',
      'io.max=8:0 rbps=1000',
      'io.max=8:0 wbps=18446744073709551615',
      'io.max=8:0 riops=5',
      'io.max=8:16 wiops=max',
    ],
  );
  assert.is(ioWeightOf(1000, ''), 10_000);
});

test('block io: refuses what cannot be', () => {
  assert.is(refusal('v2', { blockIO: { leafWeight: 5 } }), 'TSR_CGROUP_NO_EQUIVALENT /r/blockIO/leafWeight');
  assert.is(refusal('v2', { blockIO: { weight: 5 } }), 'TSR_CGROUP_VALUE /r/blockIO/weight');
  const empty = { blockIO: { weightDevice: [{ major: 8, minor: 0 }] } };
  assert.is(refusal('v1', empty), 'TSR_CGROUP_VALUE /r/blockIO/weightDevice/0');
});

test('huge pages: the limit of reservations where the kernel has it, and the other', () => {
  const resources = { hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304 }] };
  assert.equal(written('v1', resources), [
    'hugetlb.2MB.rsvd.limit_in_bytes=4194304 ?ENOENT',
    'hugetlb.2MB.limit_in_bytes=4194304',
  ]);
  assert.equal(written('v2', resources), ['hugetlb.2MB.rsvd.max=4194304 ?ENOENT', 'hugetlb.2MB.max=4194304']);
});

test('huge pages of a hybrid host go to the v2 hierarchy, which has the controller', () => {
  const { settings, places } = compile('hybrid', {
    hugepageLimits: [{ pageSize: '2MB', limit: 1 }],
    pids: { limit: 9 },
  });
  assert.equal(
    settings.map(({ file, place }) => `${file} ${places[place]?.version}`),
    ['pids.max 1', 'hugetlb.2MB.rsvd.max 2', 'hugetlb.2MB.max 2'],
  );
});

for (const pageSize of ['../x', '2MB/../../x', '2M', '0MB', '2mb', '', '2MB\n', '2 MB', '-2MB']) {
  test(`S31: refuses page size ${JSON.stringify(pageSize)}`, () => {
    const resources = { hugepageLimits: [{ pageSize, limit: 1 }] };
    assert.is(refusal('v1', resources), 'TSR_CGROUP_VALUE /r/hugepageLimits/0/pageSize');
  });
}

test('network on v1 only', () => {
  const resources = { network: { classID: 1_048_577, priorities: [{ name: 'eth0', priority: 500 }] } };
  assert.equal(written('v1', resources), ['net_cls.classid=1048577', 'net_prio.ifpriomap=eth0 500']);
  assert.is(refusal('v2', resources), 'TSR_CGROUP_NO_EQUIVALENT /r/network/classID');
  const priorities = { network: { priorities: [{ name: 'eth0', priority: 1 }] } };
  assert.is(refusal('v2', priorities), 'TSR_CGROUP_NO_EQUIVALENT /r/network/priorities/0');
  const bad = { network: { priorities: [{ name: 'a b', priority: 1 }] } };
  assert.is(refusal('v1', bad), 'TSR_CGROUP_VALUE /r/network/priorities/0/name');
});

test('rdma: the same on both', () => {
  const resources = { rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10_000 }, rxe3: { hcaObjects: 0 } } };
  for (const mode of ['v1', 'v2'] as const) {
    assert.equal(written(mode, resources), [
      'rdma.max=mlx5_1 hca_handle=3 hca_object=10000',
      'rdma.max=rxe3 hca_object=0',
    ]);
  }
  assert.is(refusal('v2', { rdma: { 'a b': { hcaHandles: 1 } } }), 'TSR_CGROUP_VALUE /r/rdma/a b');
  assert.is(refusal('v2', { rdma: { x: {} } }), 'TSR_CGROUP_VALUE /r/rdma/x');
});

test('unified: each line is a write, after everything else', () => {
  const unified = {
    'io.max': '259:0 rbps=1 wiops=120\n253:0 rbps=2\n',
    'memory.high': '1000',
    'cgroup.max.depth': '3',
  };
  assert.equal(written('v2', { unified, memory: { limit: 5 } }), [
    'memory.max=5',
    'io.max=259:0 rbps=1 wiops=120',
    'io.max=253:0 rbps=2',
    'memory.high=1000',
    'cgroup.max.depth=3',
  ]);
});

test('unified: an unknown parameter of a known controller is written, an unknown controller is an error', () => {
  assert.equal(written('v2', { unified: { 'memory.brand_new': '1' } }), ['memory.brand_new=1']);
  assert.is(refusal('v2', { unified: { 'banana.max': '1' } }), 'TSR_CGROUP_CONTROLLER /r/unified/banana.max');
  assert.is(refusal('v1', { unified: { 'memory.high': '1' } }), 'TSR_CGROUP_CONTROLLER /r/unified/memory.high');
});

test('unified on a hybrid host: only controllers of the v2 hierarchy', () => {
  assert.equal(written('hybrid', { unified: { 'hugetlb.2MB.max': '1' } }), ['hugetlb.2MB.max=1']);
  assert.is(refusal('hybrid', { unified: { 'memory.high': '1' } }), 'TSR_CGROUP_CONTROLLER /r/unified/memory.high');
});

for (const key of [
  '../../x',
  'memory/max',
  'memory.max/x',
  'noDot',
  '.max',
  'memory.',
  'cgroup.procs',
  'cgroup.kill',
  'cgroup.freeze',
  'cgroup.threads',
  'memory.max\0',
]) {
  test(`S31: refuses unified key ${JSON.stringify(key)}`, () => {
    const pointer = key.replaceAll('/', '~1');
    assert.is(refusal('v2', { unified: { [key]: '1' } }), `TSR_CGROUP_UNIFIED_KEY /r/unified/${pointer}`);
  });
}

test('names the missing controller and the limit that needs it', () => {
  const missing = (resources: Resources): string => refusal('v2', resources, { controllers: [] });
  assert.is(missing({ memory: { limit: 1 } }), 'TSR_CGROUP_CONTROLLER /r/memory/limit');
  assert.is(missing({ cpu: { quota: 1000 } }), 'TSR_CGROUP_CONTROLLER /r/cpu/quota');
  assert.is(missing({ cpu: { cpus: '0' } }), 'TSR_CGROUP_CONTROLLER /r/cpu/cpus');
  assert.is(missing({ pids: { limit: 5 } }), 'TSR_CGROUP_CONTROLLER /r/pids/limit');
  assert.is(missing({ blockIO: { weight: 100 } }), 'TSR_CGROUP_CONTROLLER /r/blockIO/weight');
  assert.is(
    missing({ hugepageLimits: [{ pageSize: '2MB', limit: 1 }] }),
    'TSR_CGROUP_CONTROLLER /r/hugepageLimits/0/limit',
  );
  assert.is(missing({ memory: { limit: -1 }, cpu: { quota: -1 }, pids: { limit: -1 } }), 'accepted');
});

test.run();
