import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MOUNT_ATTR as A, MS } from '../../tables/mount-options.js';
import { foldOptions } from './mount-options.js';

const fold = (text: string) => foldOptions(text === '' ? [] : text.split(' '));
const bits = (text: string) => {
  const { set, clear, recursiveSet, recursiveClear } = fold(text);
  return [set, clear, recursiveSet, recursiveClear];
};

test('a later option undoes an earlier one', () => {
  assert.equal(bits('ro,rw'.replace(',', ' ')), [0, A.RDONLY, 0, 0]);
  assert.equal(bits('rw ro'), [A.RDONLY, 0, 0, 0]);
  assert.equal(bits('nosuid suid'), [0, A.NOSUID, 0, 0]);
  assert.equal(bits('dev nodev exec noexec'), [A.NODEV | A.NOEXEC, 0, 0, 0]);
  assert.equal(bits('ro nosuid defaults nodev'), [A.NODEV, A.RDONLY | A.NOSUID | A.NOEXEC, 0, 0]);
});

test('an option that clears is a wish, too', () => {
  assert.equal(bits('exec'), [0, A.NOEXEC, 0, 0]);
  assert.equal(bits('defaults'), [0, A.RDONLY | A.NOSUID | A.NODEV | A.NOEXEC, 0, 0]);
  assert.equal(bits('defaults ro'), [A.RDONLY, A.NOSUID | A.NODEV | A.NOEXEC, 0, 0]);
});

test('access times are one field: choosing means clearing all of it', () => {
  assert.equal(bits('noatime'), [A.NOATIME, A.ATIME, 0, 0]);
  assert.equal(bits('noatime strictatime'), [A.STRICTATIME, A.ATIME, 0, 0]);
  assert.equal(bits('noatime relatime'), [0, A.ATIME, 0, 0]);
  assert.equal(bits('noatime atime'), [0, A.ATIME, 0, 0]);
  assert.equal(bits('strictatime atime'), [A.STRICTATIME, A.ATIME, 0, 0]);
  assert.equal(bits('noatime nostrictatime'), [A.NOATIME, A.ATIME, 0, 0]);
  assert.equal(bits('nodiratime noatime'), [A.NODIRATIME | A.NOATIME, A.ATIME, 0, 0]);
  assert.equal(bits('diratime'), [0, A.NODIRATIME, 0, 0]);
  assert.equal(bits('rnoatime ratime'), [0, 0, 0, A.ATIME]);
  assert.equal(bits('ratime'), [0, 0, 0, A.ATIME]);
  assert.equal(bits('rstrictatime ratime'), [0, 0, A.STRICTATIME, A.ATIME]);
});

test('recursive options are kept apart', () => {
  assert.equal(bits('rw rro rnosuid rexec'), [0, A.RDONLY, A.RDONLY | A.NOSUID, A.NOEXEC]);
  assert.equal(bits('rro rrw'), [0, 0, 0, A.RDONLY]);
});

test('what is no attribute goes where it belongs', () => {
  const folded = fold('rbind rslave private sync lazytime mode=755 silent size=1k tmpcopyup');
  assert.equal([folded.bind, folded.recursive, folded.tmpcopyup, folded.remount], [true, true, true, false]);
  assert.equal(folded.propagation, [
    { msFlag: MS.SLAVE, recursive: true, index: 1 },
    { msFlag: MS.PRIVATE, recursive: false, index: 2 },
  ]);
  assert.equal(folded.superblock, ['sync', 'lazytime']);
  assert.equal(folded.data, [
    { option: 'mode=755', index: 5 },
    { option: 'size=1k', index: 7 },
  ]);
  assert.is(fold('bind').recursive, false);
  assert.ok(fold('ridmap').idmap && fold('idmap').idmap);
  const ranges = fold('ridmap=uids=0-1-2;gids=0-1-2');
  assert.equal([ranges.idmap, ranges.data], ['recursive', []]);
  const lookUp = fold('src-nofollow dest-nofollow copy-symlink');
  assert.equal([lookUp.sourceNoFollow, lookUp.targetNoFollow, lookUp.copySymlink, lookUp.data], [true, true, true, []]);
});

test('data is split at commas, but for those in quotes, and loses the quotes', () => {
  const data = (option: string) => foldOptions([option]).data.map(({ option }) => option);
  assert.equal(data('mode=755,size=1k'), ['mode=755', 'size=1k']);
  assert.equal(data('context="system_u:object_r:tmp_t:s0:c1,c2",size=1k'), [
    'context=system_u:object_r:tmp_t:s0:c1,c2',
    'size=1k',
  ]);
  assert.equal(data('lowerdir=/a:/b'), ['lowerdir=/a:/b']);
  assert.equal(data(','), []);
  assert.equal(data(''), []);
});

test('names of JavaScript are data', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    assert.equal(foldOptions([name]).data, [{ option: name, index: 0 }]);
  }
});

test.run();
