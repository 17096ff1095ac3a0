import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, pick } from '../test-inputs.js';

const manager = { notifySocket: '/run/systemd/notify' };
const ops = (...call: Parameters<typeof compile>): string[] => compile(...call).steps.map(({ op }) => op);

test('without NOTIFY_SOCKET nothing of it is planned', () => {
  for (const mode of ['create', 'run', 'run-detached'] as const) {
    assert.equal(pick(compile({}, { mode }), 'notify.'), []);
  }
});

test('a created container gets the folder and the variable; start does the rest', () => {
  const plan = compile({ process: { env: ['NOTIFY_SOCKET=/of/the/config'] } }, manager);
  assert.equal(pick(plan, 'notify.'), []);
  const bind = pick(plan, 'mount.bind').at(-1);
  assert.is(bind?.summary, 'bind /run/tsrun/web/notify on /run/notify');
  assert.is(bind?.pointer, '');
  const exec = pick(plan, 'process.exec')[0] as { args: { env: string[] } } | undefined;
  assert.equal(
    exec?.args.env.filter((entry) => entry.startsWith('NOTIFY_SOCKET=')),
    ['NOTIFY_SOCKET=/run/notify/notify.sock'],
  );
});

test('run listens before the program runs, and a detached one waits behind it', () => {
  const order = ops({}, { ...manager, mode: 'run-detached' });
  assert.ok(order.indexOf('notify.listen') < order.indexOf('process.exec'));
  assert.ok(order.indexOf('process.exec') < order.indexOf('notify.forward'));
  assert.not(ops({}, { ...manager, mode: 'run' }).includes('notify.forward'));
});

test('a foreground run takes its folder away', () => {
  const removed = pick(compile({}, { ...manager, mode: 'run' }), 'file.remove').map(({ args }) => args);
  assert.equal(removed[0], { directory: '/run/tsrun/web/notify', names: ['notify.sock'] });
});

test.run();
