import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as assert from 'uvu/assert';
import { BundleSuite, hasProgram, report, type Config } from '../harness.js';

const pivot = new BundleSuite('pivot-root', hasProgram('nsenter') ? undefined : "needs 'nsenter'");
const names = (text: string | undefined) => (text ?? '').split(/\s+/).filter(Boolean).sort();

pivot.test('no way out of the root leads to the host', (sandbox) => {
  const bundle = sandbox.copy('pivot-root');
  const image = readdirSync(join(bundle, 'rootfs')).sort();
  const { status, output, errors } = sandbox.run(sandbox.id('pivot'), bundle);
  assert.is(errors, '');
  assert.is(status, 0);
  const inside = report(output);
  for (const way of ['root', 'up', 'proc', 'escape']) assert.equal(names(inside.get(way)), image, way);
  assert.not.equal(image, readdirSync('/').sort(), 'the comparison can tell the two apart');
});

pivot.test('its mount table has the mounts of the config and none of the host', async (sandbox) => {
  let config: Config | undefined;
  const bundle = sandbox.copy('pivot-root', (copy) => {
    copy.process.args = ['/bin/sh', '-c', 'echo up; exec sleep 60'];
    config = copy;
  });
  const id = sandbox.id('pivot');
  const output = sandbox.create(id, bundle);
  sandbox.start(id);
  await sandbox.until('the container runs', 10, () => output() === 'up\n');
  const { pid } = sandbox.state(id);
  const rows = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  assert.is(rows.filter(([, , , , point]) => point === '/').length, 1);
  assert.match(rows[0]?.[3] ?? '', `${basename(sandbox.folder)}/pivot-root/rootfs`);

  const linux = (config as Config).linux as unknown as { maskedPaths: string[]; readonlyPaths: string[] };
  const binds = (config as Config).mounts.filter(({ type }) => type === 'bind').map(({ destination }) => destination);
  const planned = [
    ...(config as Config).mounts.map((mount) => mount.destination),
    ...linux.maskedPaths,
    ...linux.readonlyPaths,
  ];
  const isPlanned = (point: string) => planned.includes(point) || binds.some((bind) => point.startsWith(`${bind}/`));
  const foreign = rows.map(([, , , , point]) => point as string).filter((point) => point !== '/' && !isPlanned(point));
  assert.equal(foreign, []);

  const [root, up, host] = [`/proc/${pid}/root/`, `/proc/${pid}/root/../..`, '/'].map((path) => statSync(path));
  assert.is(`${up?.dev}:${up?.ino}`, `${root?.dev}:${root?.ino}`);
  assert.is.not(`${root?.dev}:${root?.ino}`, `${host?.dev}:${host?.ino}`);
});

pivot.test('from a mere chroot the same escape does reach the host', (sandbox) => {
  const bundle = sandbox.copy('pivot-root');
  const { stdout } = spawnSync('sh', [join(bundle, 'chroot.sh')], { encoding: 'utf8' });
  const escaped = report(stdout).get('escape');
  if (escaped === 'not tried') return;
  const visible = readdirSync('/').filter((name) => !name.startsWith('.'));
  assert.equal(names(escaped), visible.sort());
});

pivot.run();
