import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { BundleSuite, hasProgram, report } from '../harness.js';

const overlay = new BundleSuite('overlay', hasProgram('unshare') ? undefined : "needs 'unshare'");

/** One hash over names, kinds, modes, sizes and contents of a tree. */
function fingerprint(folder: string): string {
  const hash = createHash('sha256');
  const visit = (path: string) => {
    const facts = lstatSync(path);
    hash.update(`${path} ${facts.mode} ${facts.uid} ${facts.gid} ${facts.isFile() ? readFileSync(path, 'hex') : ''}\n`);
    if (facts.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
  };
  visit(folder);
  return hash.digest('hex');
}

overlay.test('the container changes its rootfs, and the lower layer stays as it was', (sandbox) => {
  const bundle = sandbox.copy('overlay');
  const lower = join(bundle, 'lower');
  const before = fingerprint(lower);
  // The mount lives in a mount namespace of its own, so that nothing stays behind whatever happens to this test. What
  // the container wrote is read there too: the upper layer may be on a tmpfs (see mount.sh).
  const script = 'cd "$1" && shift && sh mount.sh && "$@" && cat layers/upper/added.txt layers/upper/layer.txt';
  const wrapper = ['unshare', '--mount', 'sh', '-c', script, 'sh', bundle];
  const { status, output, errors } = sandbox.run(sandbox.id('overlay'), bundle, wrapper);
  assert.is(errors, '');
  assert.is(status, 0);

  const inside = report(output);
  assert.is(inside.get('root'), 'overlay');
  assert.is(inside.get('before'), 'from the lower layer');
  assert.is(inside.get('after'), 'from the container');
  assert.match(output, 'unwanted.txt is gone');
  assert.match(output, /new\nfrom the container\n$/, 'the upper layer has the changes');

  assert.is(fingerprint(lower), before);
  assert.is(readFileSync(join(lower, 'layer.txt'), 'utf8'), 'from the lower layer\n');
  assert.ok(existsSync(join(lower, 'unwanted.txt')));
  assert.not(existsSync(join(lower, 'added.txt')));
});

overlay.run();
