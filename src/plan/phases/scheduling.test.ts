import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, only, pick } from '../test-inputs.js';
import { nodeMask, schedulerAttributes } from './scheduling.js';

test('nothing is changed that is not asked for', () => {
  const ops = ['process.personality', 'process.scheduler', 'process.io-priority', 'process.memory-policy'];
  assert.equal(pick(compile(), ...ops), []);
});

test('scheduling attributes are laid out as the kernel reads them', () => {
  const bytes = schedulerAttributes({
    policy: 'SCHED_DEADLINE',
    nice: -5,
    priority: 3,
    flags: ['SCHED_FLAG_RESET_ON_FORK', 'SCHED_FLAG_RECLAIM'],
    runtime: 9007199254740993n,
    deadline: 18446744073709551615n,
    period: 0,
  });
  const view = new DataView(bytes.buffer);
  assert.is(bytes.length, 48);
  assert.equal(
    [view.getUint32(0, true), view.getUint32(4, true), view.getBigUint64(8, true), view.getInt32(16, true)],
    [48, 6, 3n, -5],
  );
  assert.equal(
    [20, 24, 32, 40].map((at) => (at === 20 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true))),
    [3n, 9007199254740993n, 18446744073709551615n, 0n],
  );
});

test('I/O priority, personality and memory policy are the numbers of the kernel', () => {
  const plan = compile({
    process: { ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 } },
    linux: {
      personality: { domain: 'LINUX32' },
      memoryPolicy: { mode: 'MPOL_INTERLEAVE', nodes: '0-1,65', flags: ['MPOL_F_STATIC_NODES'] },
    },
  });
  assert.is(only(plan, 'process.io-priority').args.value, (2 << 13) | 4);
  assert.is(only(plan, 'process.personality').args.domain, 8);
  const { mode, maxNode, nodes } = only(plan, 'process.memory-policy').args;
  assert.equal([mode, maxNode], [3 | (1 << 15), 129]);
  assert.equal([...(nodes as Uint8Array)], [3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
  const local = compile({ linux: { memoryPolicy: { mode: 'MPOL_LOCAL' } } });
  assert.equal(only(local, 'process.memory-policy').args, { mode: 4, maxNode: 0, nodes: new Uint8Array(0) });
});

test('a list of nodes is a bit mask', () => {
  assert.equal([...nodeMask('0')], [1, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal([...nodeMask('7,1-3')], [0x8e, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal([...nodeMask('0-7:2/4,9')], [0x33, 2, 0, 0, 0, 0, 0, 0]);
  assert.is(nodeMask('63').length, 8);
  assert.is(nodeMask('64').length, 16);
});

test.run();
