import { spawnSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { BundleSuite, hasProgram } from '../harness.js';

/** Ends of the bundle's pair that are on the host now; join.sh names them like this. */
function endsOnHost(bundle: string): number {
  const name = 'ip -o link | grep -c "tsr$(cd "$1" && pwd | cksum | cut -d " " -f 1)[ab]"';
  return Number(spawnSync('sh', ['-c', name, 'sh', bundle], { encoding: 'utf8' }).stdout);
}

const canMakePair = () =>
  spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'type', 'veth'], { stdio: 'ignore' }).status === 0;
const lacking = ['ip', 'nsenter', 'unshare'].find((name) => !hasProgram(name));
const veth = new BundleSuite('veth-pair', lacking ? `needs '${lacking}'` : canMakePair() ? undefined : 'needs veth');

veth.test('two containers joined by a createRuntime hook ping each other', async (sandbox) => {
  const bundle = sandbox.copy('veth-pair');
  const [left, right] = [sandbox.id('left'), sandbox.id('right')];
  const leftOutput = sandbox.create(left, bundle);
  assert.is(endsOnHost(bundle), 1, 'one end waits on the host');
  const rightOutput = sandbox.create(right, bundle);
  assert.is(endsOnHost(bundle), 0, 'no end is left on the host');

  sandbox.start(left);
  sandbox.start(right);
  const done = () =>
    /reaches|no answer|no address/.test(leftOutput()) && /reaches|no answer|no address/.test(rightOutput());
  await sandbox.until('both report', 40, done);
  assert.match(leftOutput(), '10.99.7.1 reaches 10.99.7.2');
  assert.match(rightOutput(), '10.99.7.2 reaches 10.99.7.1');
});

veth.test('without the hook there is nobody to reach', (sandbox) => {
  const bundle = sandbox.copy('veth-pair', (config) => {
    delete config.hooks;
  });
  const { status, output } = sandbox.run(sandbox.id('alone'), bundle);
  assert.match(output, 'no address on eth0');
  assert.is(status, 1);
});

veth.test('a hook that fails ends create and leaves no container', (sandbox) => {
  const id = sandbox.id('failed');
  const bundle = sandbox.copy('veth-pair', (config) => {
    config.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'echo no cable >&2; exit 3'] }] };
  });
  assert.throws(() => sandbox.create(id, bundle), /no cable/);
  assert.is.not(sandbox.command('state', id).status, 0);
});

veth.run();
