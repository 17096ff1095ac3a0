import { test } from 'uvu';
import * as w from './test-encoder.js';
import type { Bytes, TestFunction } from './test-encoder.js';
import { type Call, sameAsNode } from './test-program.js';

const add = w.op('i32.add');
const few = [0n, 1n, 2n, 3n, 4n, 5n, 100n, 0x7fffffffn, 0x80000000n, 0xffffffffn];

const one = (name: string, code: Bytes[], locals: TestFunction['locals'] = ['i32', 'i32']): TestFunction => ({
  ...{ name, params: ['i32'], result: 'i32', locals },
  code: code.flat(),
});
const callsOf = (functions: readonly TestFunction[], values = few): Call[] =>
  functions.flatMap(({ name }) => values.map((value) => ({ name, args: [value] })));
const { get, set, tee, i32, block, loop, when, br, brIf } = w;

/** Each takes an i32 and gives one. */
const shapes: readonly TestFunction[] = [
  one('block_value', [block('i32', get(0), get(0), brIf(0), w.drop, i32(7))]),
  one('branch_keeps_value', [block('i32', i32(40), get(0), brIf(0), i32(2), add)]),
  one('if_value', [get(0), when('i32', i32(1), i32(2))]),
  one('if_alone', [get(0), when(undefined, [...i32(9), ...set(1)]), get(1)]),
  one('if_both_leave', [get(0), when('i32', [...i32(1), ...w.leave], [...i32(2), ...w.leave])]),
  one('if_then_leaves', [get(0), when('i32', [...i32(1), ...w.leave], i32(5)), i32(1), add]),
  one('if_else_leaves', [get(0), when('i32', i32(5), [...i32(1), ...w.leave]), i32(1), add]),
  one('branch_out_of_if', [block('i32', get(0), when('i32', [...i32(3), ...br(1)], i32(4)), i32(10), add)]),
  one('loop_sum', [
    loop(
      'i32',
      get(1),
      get(0),
      i32(15),
      w.op('i32.and'),
      add,
      set(1),
      get(2),
      i32(1),
      add,
      tee(2),
      i32(9),
      w.op('i32.lt_u'),
      brIf(0),
      get(1),
    ),
  ]),
  one('loop_in_loop', [
    loop(
      undefined,
      i32(0),
      set(2),
      loop(undefined, get(1), get(2), add, set(1), get(2), i32(1), add, tee(2), i32(5), w.op('i32.ne'), brIf(0)),
      get(0),
      i32(7),
      w.op('i32.and'),
      get(1),
      i32(90),
      w.op('i32.lt_s'),
      w.op('i32.and'),
      brIf(0),
    ),
    get(1),
  ]),
  one('table', [
    block(
      undefined,
      block(
        undefined,
        block(undefined, block(undefined, get(0), w.brTable(0, 1, 2, 1, 3)), i32(10), w.leave),
        i32(11),
        w.leave,
      ),
      i32(12),
      w.leave,
    ),
    i32(13),
  ]),
  one('table_with_value', [block('i32', block('i32', i32(5), get(0), w.brTable(0, 1, 0)), i32(100), add)]),
  one('table_of_one', [block(undefined, get(0), w.brTable(0)), i32(3)]),
  one('table_leaves', [block('i32', i32(6), get(0), w.brTable(1, 0, 1)), i32(1), add]),
  one('table_to_loop', [
    loop(
      undefined,
      block(
        undefined,
        get(1),
        i32(1),
        add,
        tee(1),
        get(0),
        w.op('i32.lt_u'),
        get(1),
        i32(20),
        w.op('i32.lt_u'),
        w.op('i32.and'),
        w.brTable(0, 1),
      ),
    ),
    get(1),
  ]),
  one('dead_after_branch', [
    block(
      'i32',
      i32(1),
      br(0),
      i32(2),
      add,
      block(undefined, w.unreachable),
      loop(undefined, br(0)),
      get(0),
      when('i32', i32(1), i32(2)),
      w.drop,
    ),
    get(0),
    add,
  ]),
  one('dead_else', [
    get(0),
    when('i32', [...i32(8), ...br(0), ...when('i32', i32(1), i32(2))], [...w.unreachable, ...i32(4)]),
  ]),
  one('dead_block', [block(undefined, br(0), block(undefined), w.nop), get(0)]),
  one('dead_to_the_end', [get(0), w.leave, w.unreachable]),
  one('whole_dead', [block(undefined, block(undefined, br(1)), i32(5), set(0)), get(0)]),
  one('endless', [loop('i32', get(0), when(undefined, [...i32(4), ...w.leave]), i32(1), set(0), br(0))]),
  one('unreachable', [get(0), when(undefined, w.unreachable), i32(1)]),
  one('branch_is_return', [get(0), i32(1), brIf(0), w.drop, i32(3)]),
  one('select', [get(0), i32(5), get(0), i32(2), w.op('i32.rem_u'), w.select]),
  one('select_computed', [
    get(0),
    i32(5),
    add,
    get(0),
    i32(9),
    w.op('i32.mul'),
    get(0),
    i32(3),
    w.op('i32.lt_s'),
    w.select,
  ]),
  one('trap_of_what_is_dropped', [i32(5), get(0), w.op('i32.div_u'), w.drop, i32(1)]),
  one('difference_of_truths', [
    get(0),
    w.op('i32.eqz'),
    get(0),
    i32(1),
    w.op('i32.eq'),
    w.op('i32.sub'),
    w.op('i64.extend_i32_u'),
    w.constant('i64', 1n << 40n),
    w.op('i64.lt_u'),
  ]),
  // What was pushed stays what it was, whatever happens to the local before it is used.
  one('get_then_set', [get(0), i32(5), set(0), get(0), add]),
  one('get_then_tee', [get(0), get(0), i32(3), add, tee(0), add, get(0), w.op('i32.mul')]),
  one('computed_then_set', [get(0), i32(5), add, i32(1), set(0), get(0), w.op('i32.sub')]),
  one('get_then_set_in_block', [get(0), block(undefined, get(0), brIf(0), i32(77), set(0)), get(0), add]),
  one('get_then_set_in_if', [get(0), get(0), when(undefined, [...i32(77), ...set(0)]), get(0), add]),
  one('get_then_set_in_loop', [
    get(0),
    loop(undefined, get(1), i32(1), add, tee(1), set(0), get(1), i32(4), w.op('i32.lt_u'), brIf(0)),
    get(0),
    add,
  ]),
  one('condition_reads_local', [get(0), get(0), i32(1), set(0), when('i32', get(0), i32(30)), add]),
  one('tee_in_both_operands', [get(0), i32(1), add, tee(0), get(0), i32(1), add, tee(0), w.op('i32.sub')]),
  one('long_expression', [
    get(0),
    ...Array.from({ length: 300 }, (_, i) => [...i32(i), ...(i % 3 === 0 ? w.op('i32.xor') : add)]),
  ]),
];

test('blocks, loops, branches and what lies on the stack meanwhile', () => {
  sameAsNode({ functions: shapes }, callsOf(shapes));
});

test('calls, recursion, several parameters, imports, globals', () => {
  const functions: TestFunction[] = [
    one('factorial', [
      get(0),
      i32(20),
      w.op('i32.gt_u'),
      when('i32', i32(-1), [
        ...get(0),
        ...w.op('i32.eqz'),
        ...when('i32', i32(1), [...get(0), ...get(0), ...i32(1), ...w.op('i32.sub'), ...w.call(2), ...w.op('i32.mul')]),
      ]),
    ]),
    {
      name: 'mixed',
      params: ['i32', 'i64', 'i32'],
      result: 'i64',
      code: [
        ...get(0),
        ...w.op('i64.extend_i32_s'),
        ...get(1),
        ...w.op('i64.sub'),
        ...get(2),
        ...w.op('i64.extend_i32_u'),
        ...w.op('i64.xor'),
      ],
    },
    { name: 'nothing', params: [], code: [...w.getGlobal(0), ...i32(1), ...add, ...w.setGlobal(0)] },
    one('order', [get(0), w.call(0), get(0), w.call(1), w.op('i32.sub'), w.call(4), w.getGlobal(0), add]),
    one('global_then_set', [w.getGlobal(0), get(0), w.setGlobal(0), w.getGlobal(0), w.op('i32.sub')]),
    { name: 'wide', params: ['i64'], result: 'i64', code: [...w.getGlobal(1), ...get(0), ...w.setGlobal(1)] },
  ];
  const wide = [0n, 1n, 0xffffffffffffffffn, 0x8000000000000000n];
  const calls: Call[] = [
    ...callsOf([functions[0]!], [0n, 1n, 5n, 12n, 20n, 21n]),
    ...wide.flatMap((b) => few.map((a) => ({ name: 'mixed', args: [a, b, 0xfffffff0n] }))),
    { name: 'nothing', args: [] },
    ...callsOf([functions[3]!, functions[4]!]),
    ...wide.map((value) => ({ name: 'wide', args: [value] })),
  ];
  const globals = [
    { type: 'i32', value: 41n },
    { type: 'i64', value: -3n },
  ] as const;
  for (const units of [1, 3]) sameAsNode({ imports: ['x', 'y'], functions, globals }, calls, units);
});

test('an indirect call reaches functions of its type only: others, empty slots and indexes out of range trap', () => {
  const index: Bytes = get(0);
  const functions: TestFunction[] = [
    one('twice', [get(0), i32(2), w.op('i32.mul')]),
    { name: 'wide', params: ['i64'], result: 'i64', code: [...get(0), ...w.constant('i64', 1n), ...w.op('i64.add')] },
    { name: 'silent', params: ['i32'], code: [] },
    one('call_i32', [i32(21), index, w.callIndirect(1)]),
    {
      name: 'call_i64',
      params: ['i32'],
      result: 'i64',
      code: [...w.constant('i64', 8n), ...index, ...w.callIndirect(2)],
    },
    { name: 'call_silent', params: ['i32'], code: [...i32(1), ...index, ...w.callIndirect(3)] },
  ];
  const table = [1, 2, undefined, 3, 0, 4];
  const indexes = [0n, 1n, 2n, 3n, 4n, 6n, 7n, 0x7fffffffn, 0xffffffffn];
  const calls = callsOf(functions.slice(3), indexes);
  for (const units of [1, 2]) sameAsNode({ imports: ['x'], functions, table }, calls, units);
});

test.run();
