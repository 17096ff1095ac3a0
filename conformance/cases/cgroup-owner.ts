// Whose the container's cgroup is: with a user namespace, a cgroup namespace of its own and a writable mount, the container's root's.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { type Changes, namespaces } from '../config.js';
import { type Add, type Box, expect, same } from '../harness.js';
import { needs } from './cgroup-files.js';

const owner = 100000;
const ids = [{ containerID: 0, hostID: owner, size: 65536 }];
const mapped: Changes = {
  '/linux/namespaces': namespaces('user', 'cgroup', 'network'),
  '/linux/uidMappings': ids,
  '/linux/gidMappings': ids,
};
/** A tmpfs, for the kernel makes no sysfs in a user namespace while something covers a part of the host's, as the wrappers do. */
const mounted = (...options: string[]): Changes => ({
  '/mounts/3': { destination: '/sys', type: 'tmpfs', source: 'tmpfs' },
  '/mounts/4': { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options },
});
const delegated = '/sys/kernel/cgroup/delegate';

/** create with a wrapper that becomes the runtime; answers the container's cgroup folder. */
async function make(box: Box, changes: Changes, wrapper: string[] = []): Promise<string> {
  await box.works();
  box.configure('true', { ...mapped, ...changes });
  const result = await box.create(box.id, wrapper);
  expect(result.code === 0, `create exits with ${result.code}: ${result.stderr.trim()}`);
  const map = box.read(`/proc/${box.read(box.path('pid'))}/uid_map`);
  expect(map.includes(String(owner)), `the container is in no user namespace of its own: ${map}`);
  const [folder] = box.cgroupFolders();
  expect(folder !== undefined, 'no cgroup was made');
  return folder;
}

const ownerOf = (path: string) => statSync(path).uid;

/** In a mount namespace of its own, the runtime finds something else in place of the kernel's list. */
const withList = (script: string) => ['unshare', '--mount', 'sh', '-c', `${script} && exec "$@"`, 'sh'];

export function addOwners(test: Add): void {
  test('owner-v1', ['linux.cgroups.owner-v1'], async (box) => {
    needs(1);
    const folder = await make(box, {});
    same(ownerOf(folder), 0, `owner of ${folder}`);
  });
  test('owner-v2', ['linux.cgroups.owner-change', 'linux.cgroups.owner-others'], async (box) => {
    needs(2);
    const folder = await make(box, mounted('rw'));
    same(ownerOf(folder), owner, `owner of ${folder}`);
    const list = readFileSync(delegated, 'utf8').split('\n');
    for (const file of ['cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control', 'cgroup.type', 'cgroup.freeze'])
      same(ownerOf(`${folder}/${file}`), list.includes(file) ? owner : 0, `owner of ${file}`);
  });
  test('owner-v2-listed-file-is-missing', ['linux.cgroups.owner-missing'], async (box) => {
    needs(2);
    writeFileSync(box.path('list'), 'cgroup.procs\nno.such.file\ncgroup.freeze\n');
    const folder = await make(box, mounted('rw'), withList(`mount --bind ${box.path('list')} ${delegated}`));
    for (const [file, wanted] of [
      ['cgroup.procs', owner],
      ['cgroup.freeze', owner],
      ['cgroup.threads', 0],
    ] as const)
      same(ownerOf(`${folder}/${file}`), wanted, `owner of ${file}`);
  });
  test('owner-v2-without-list', ['linux.cgroups.owner-fallback'], async (box) => {
    needs(2);
    const folder = await make(box, mounted('rw'), withList('mount -t tmpfs tmpfs /sys/kernel/cgroup'));
    for (const file of ['cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control'])
      same(ownerOf(`${folder}/${file}`), owner, `owner of ${file}`);
    same(ownerOf(`${folder}/cgroup.freeze`), 0, 'owner of cgroup.freeze');
  });
  test('owner-stays-with-read-only-mount', ['linux.cgroups.owner-readonly'], async (box) => {
    needs(2);
    const folder = await make(box, mounted('ro'));
    same([ownerOf(folder), ownerOf(`${folder}/cgroup.procs`)], [0, 0], 'owners');
  });
  test('owner-stays-without-writable-mount', ['linux.cgroups.owner-readonly'], async (box) => {
    await make(box, {});
    for (const folder of box.cgroupFolders()) same(ownerOf(folder), 0, `owner of ${folder}`);
  });
}
