import * as assert from 'uvu/assert';
import { BundleSuite, report } from '../harness.js';

const seccomp = new BundleSuite('seccomp');

seccomp.test('a denied call gives EPERM, its neighbours work', (sandbox) => {
  const { output, status, errors } = sandbox.run(sandbox.id('seccomp'), sandbox.copy('seccomp'));
  assert.is(errors, '');
  assert.is(status, 0);
  const inside = report(output);
  assert.is(inside.get('filter mode'), '2');
  assert.is(inside.get('touch'), 'done');
  assert.match(inside.get('mkdir') ?? '', /Operation not permitted$/);
});

seccomp.test('the profile chooses the error', (sandbox) => {
  const bundle = sandbox.copy('seccomp', (config) => {
    const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 };
    config.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] };
  });
  const { output } = sandbox.run(sandbox.id('seccomp'), bundle);
  assert.match(report(output).get('mkdir') ?? '', /No space left on device$/);
});

seccomp.test('without the profile the same call works', (sandbox) => {
  const bundle = sandbox.copy('seccomp', (config) => {
    delete config.linux.seccomp;
  });
  const inside = report(sandbox.run(sandbox.id('seccomp'), bundle).output);
  assert.is(inside.get('mkdir'), 'done');
});

seccomp.run();
