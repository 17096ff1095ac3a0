import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type OpName, opTable } from '../generated/ops.js';
import { printPlan, printPlanJson } from './print.js';
import { step } from './step.js';
import { compile } from './test-inputs.js';

const plan = {
  preserveFds: 2,
  steps: [
    step(
      'host',
      'child.create',
      { namespaces: 1, cgroupSlot: 2, asJoiner: 0, fullSlot: 2 },
      '/linux/namespaces',
      'start init',
    ),
    step('init', 'keyring.join', { name: 'k' }, '', 'join keyring', { tolerate: ['ENOSYS'] }),
    step('init', 'path.mask', { paths: ['/x'] }, '/linux/maskedPaths/0', 'mask /x', {
      tolerate: ['EPERM', 'EBUSY'],
      orElseNext: true,
    }),
    step('init', 'process.ambient', { caps: 1n << 40n }, '/a', 'caps'),
    step('init', 'process.groups', { groups: Uint8Array.of(1, 2, 3, 4) }, '/b', 'groups'),
  ],
};

test('a plan is a table for people, grouped by what it is about', () => {
  assert.is(
    printPlan(plan),
    `# namespaces
1  host    /linux/namespaces                 start init
2  init                                      join keyring (ENOSYS is fine)

# protected paths
3  init    /linux/maskedPaths/0              mask /x (on EPERM, EBUSY the next one)

# process
4  init    /a                                caps
5  init    /b                                groups

2 descriptors from 3 on are passed to the process
`,
  );
});

test('a plan is data for programs, with exact numbers', () => {
  const { preserveFds, steps } = JSON.parse(printPlanJson(plan));
  assert.is(preserveFds, 2);
  assert.equal(steps[2], {
    op: 'path.mask',
    role: 'init',
    pointer: '/linux/maskedPaths/0',
    summary: 'mask /x',
    args: { paths: ['/x'] },
    tolerate: ['EPERM', 'EBUSY'],
    orElseNext: true,
  });
  assert.is(steps[3].args.caps, '1099511627776');
  assert.is(steps[4].args.groups.base64, Buffer.from([1, 2, 3, 4]).toString('base64'));
});

test('binary data is base64 whatever its length', () => {
  for (let length = 0; length < 8; length++) {
    const groups = Uint8Array.from({ length }, (_, i) => 251 - i * 37);
    const one = { preserveFds: 0, steps: [step('init', 'process.groups', { groups }, '', '')] };
    const text = JSON.parse(printPlanJson(one)).steps[0].args.groups.base64;
    assert.equal(new Uint8Array(Buffer.from(text, 'base64')), groups);
  }
});

test('printed data is as schemas/plan.schema.json says, with the fields of each operation', () => {
  const check = new Ajv2020().compile(JSON.parse(readFileSync('schemas/plan.schema.json', 'utf8')));
  for (const one of [plan, compile({ hostname: 'web', mounts: [{ destination: '/sys', type: 'sysfs' }] })]) {
    const data: { steps: { op: OpName; args: object }[] } = JSON.parse(printPlanJson(one));
    const valid: boolean = check(data);
    assert.ok(valid, JSON.stringify(check.errors));
    for (const { op, args } of data.steps) {
      const fields = opTable[op].slice(1).filter((_, index) => index % 2 === 0);
      assert.equal(Object.keys(args).sort(), [...fields].sort() as string[], op);
    }
  }
});

test('a whole plan prints both ways', () => {
  const whole = compile();
  assert.is(JSON.parse(printPlanJson(whole)).steps.length, whole.steps.length);
  assert.ok(printPlan(whole).includes('/process/args'));
  assert.not.match(printPlan(whole), /# other/);
});

test.run();
