/** A mount that fails says what the kernel says, on the real kernel. */
import * as assert from 'uvu/assert';
import { BundleSuite, isRunc, type Mount, type Sandbox } from '../../bundles/harness.js';

const suite = new BundleSuite('mount-words', isRunc ? 'its words are its own' : undefined);

function failureOf(sandbox: Sandbox, mount: Partial<Mount>): string {
  const bundle = sandbox.copy('hello', (config) => {
    config.mounts = [{ destination: '/x', type: 'tmpfs', source: 'tmpfs', options: [], ...mount }];
  });
  return sandbox.run(sandbox.id('mount'), bundle).errors;
}

suite.test('an option that the file system does not know is named', (sandbox) => {
  const errors = failureOf(sandbox, { options: ['mode=755', 'sise=3m'] });
  assert.match(
    errors,
    /mount tmpfs on \/x: EINVAL \(invalid argument\); the kernel says: tmpfs: Unknown parameter 'sise'/,
  );
});

suite.test('a value that it does not take is named', (sandbox) => {
  assert.match(failureOf(sandbox, { options: ['size=much'] }), /the kernel says: tmpfs: Bad value for 'size'/);
});

suite.test('a file system that is not there is explained', (sandbox) => {
  const errors = failureOf(sandbox, { type: 'nofs' });
  assert.match(errors, /mount nofs on \/x: ENODEV \(no such device\); the kernel does not know this filesystem type/);
});

suite.run();
