import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nearest, suggestion } from './nearest.js';

const names = ['network', 'mount', 'pid', 'user', 'uts', 'ipc', 'cgroup', 'time', 'CAP_NET_ADMIN', 'CAP_SYS_ADMIN'];

test('finds a name with a letter too many, too few, wrong or swapped', () => {
  for (const [wrong, right] of [
    ['netwrk', 'network'],
    ['networks', 'network'],
    ['nentwork', 'network'],
    ['mout', 'mount'],
    ['tiem', 'time'],
    ['PID', 'pid'],
    ['pidd', 'pid'],
    ['usr', 'user'],
    ['cap_net_admn', 'CAP_NET_ADMIN'],
  ] as const) {
    assert.is(nearest(wrong, names), right, wrong);
  }
});

test('finds a name without its prefix', () => {
  assert.is(nearest('NET_ADMIN', names), 'CAP_NET_ADMIN');
  assert.is(nearest('sys_admin', names), 'CAP_SYS_ADMIN');
});

test('says nothing when nothing is near', () => {
  for (const far of ['', 'banana', 'x', 'filesystem', '__proto__', 'n'.repeat(1000)])
    assert.is(nearest(far, names), undefined, far);
  assert.is(suggestion('banana', names), undefined);
  assert.is(suggestion('tim', names), "did you mean 'time'?");
});

test.run();
