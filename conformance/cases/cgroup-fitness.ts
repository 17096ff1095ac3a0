// Cgroups that exist before the container does: a runtime may look whether they are fit, and must not harm what lives in them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Add, type Box, expect, same, skip, unified } from '../harness.js';

/** Makes the case's cgroup in these hierarchies (of version 1; version 2 has one), for the time of the case. */
function make(box: Box, ...controllers: string[]): string[] {
  const tops = unified ? ['/sys/fs/cgroup'] : controllers.map((name) => `/sys/fs/cgroup/${name}`).filter(existsSync);
  const folders = tops.map((top) => join(top, box.cgroup));
  for (const folder of folders) {
    mkdirSync(folder);
    box.later(() => spawnSync('rmdir', [folder]));
  }
  return folders;
}

const alive = (pid: number) =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

export function addFitness(test: Add): void {
  test('fit-frozen', ['linux.cgroups.fit-check'], async (box) => {
    await box.works();
    const [folder] = make(box, 'freezer');
    if (folder === undefined) skip('no freezer');
    const [file, frozen, thawed] = unified ? ['cgroup.freeze', '1', '0'] : ['freezer.state', 'FROZEN', 'THAWED'];
    writeFileSync(`${folder}/${file}`, frozen);
    // Whatever is in it must be able to end.
    box.later(() => existsSync(folder) && writeFileSync(`${folder}/${file}`, thawed));
    const result = await box.run('echo began');
    await box.ranOrRefused(result);
  });
  test('fit-not-empty', ['linux.cgroups.fit-check', 'runtime.delete.others'], async (box) => {
    await box.works();
    const folders = make(box, 'freezer', 'pids', 'memory', 'devices');
    const stranger = await box.helper('sh', ['-c', 'echo $$; exec sleep 60']);
    for (const folder of folders) writeFileSync(`${folder}/cgroup.procs`, String(stranger));
    box.later(() => {
      for (const folder of folders) {
        // Out of the way before the folder is removed.
        for (const pid of existsSync(folder) ? readFileSync(`${folder}/cgroup.procs`, 'utf8').trim().split('\n') : [])
          if (pid !== '') process.kill(Number(pid), 'SIGKILL');
        for (let round = 0; round < 50 && existsSync(folder); round++)
          if (spawnSync('rmdir', [folder]).status !== 0) spawnSync('sleep', ['0.1']);
      }
    });
    box.configure('sleep 30');
    const created = await box.create();
    if (created.code === 0) {
      await box.ok('start', box.id);
      await box.command(['delete', '--force', box.id]);
    } else expect(created.stderr.trim() !== '', 'create fails without a word');
    expect(alive(stranger), 'a process that is not of the container was killed');
  });
  test('hybrid-joins-v2', ['linux.cgroups.path-absolute'], async (box) => {
    if (unified) skip('cgroup v1 only');
    const top = readdirSync('/sys/fs/cgroup').find((name) => existsSync(`/sys/fs/cgroup/${name}/cgroup.controllers`));
    if (top === undefined) skip('no version 2 beside version 1');
    await box.created('true');
    const { pid } = await box.state();
    const line = box
      .read(`/proc/${pid}/cgroup`)
      .split('\n')
      .find((text) => text.startsWith('0::'));
    same(line, `0::${box.cgroup}`, 'cgroup in the version 2 hierarchy');
    same(box.cgroupFile(top, 'cgroup.procs'), String(pid), 'processes in it');
    await box.ok('delete', '--force', box.id);
    same(box.cgroupFolders(), [], 'left');
  });
}
