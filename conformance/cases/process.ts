import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Changes } from '../config.js';
import { type Add, type Case, expect, same, topic } from '../harness.js';
import { addAppArmor, addOomScores, addSelinux } from './host-powers.js';

function addProgram(test: Add): void {
  for (const code of [0, 1, 2, 3, 42, 126, 127, 128, 254, 255]) {
    test(`exit-status-${code}`, [], async (box) => {
      const result = await box.run(`echo ran; exit ${code}`);
      same([result.code, result.stdout], [code, 'ran\n'], 'exit status and output of run');
    });
  }
  for (const [name, number] of [
    ['HUP', 1],
    ['INT', 2],
    ['KILL', 9],
    ['USR1', 10],
    ['TERM', 15],
  ] as const) {
    test(`killed-by-${name}`, [], async (box) => {
      // A pid namespace protects its first process, so the container shares the host's here.
      const changes = { '/linux/namespaces': [{ type: 'mount' }, { type: 'uts' }, { type: 'ipc' }] };
      const result = await box.run(`echo ran; kill -${name} $$`, changes);
      same([result.code, result.stdout], [128 + number, 'ran\n'], 'exit status and output of run');
    });
  }
  test('arguments-as-they-are', ['config.process.args-entry'], async (box) => {
    box.configure('', { '/process/args': ['/bin/printf', '[%s]', 'a b', '', '*', '$HOME', 'é', '"'] });
    same((await box.runBundle()).stdout, '[a b][][*][$HOME][é]["]', 'arguments');
  });
  test('program-by-PATH', ['config.process.args-entry'], async (box) => {
    box.configure('', { '/process/args': ['echo', 'found'] });
    same((await box.runBundle()).stdout.trim(), 'found', 'output');
  });
  test('program-by-second-folder-of-PATH', ['config.process.args-entry'], async (box) => {
    box.configure('', { '/process/args': ['echo', 'found'], '/process/env': ['PATH=/nowhere:/bin'] });
    same((await box.runBundle()).stdout.trim(), 'found', 'output');
  });
  test('program-relative-to-cwd', ['config.process.args-entry'], async (box) => {
    box.configure('', { '/process/args': ['./echo', 'found'], '/process/cwd': '/bin' });
    same((await box.runBundle()).stdout.trim(), 'found', 'output');
  });
  test('program-through-link', ['config.process.args-entry'], async (box) => {
    symlinkSync('/bin/echo', `${box.rootfs}/tmp/link`);
    symlinkSync('/bin/busybox', `${box.rootfs}/tmp/echo`);
    box.configure('', { '/process/args': ['/tmp/echo', 'found'] });
    same((await box.runBundle()).stdout.trim(), 'found', 'output');
  });
  for (const [slug, args] of [
    ['missing-path', ['/bin/nosuch']],
    ['missing-in-PATH', ['nosuch']],
    ['folder', ['/bin']],
    ['not-executable', ['/etc/passwd']],
    ['empty-name', ['']],
  ] as const) {
    test(`program-${slug}`, ['config.process.args-entry', 'runtime.create.cannot-apply'], async (box) => {
      await box.works();
      box.configure('', { '/process/args': args });
      const result = await box.runBundle();
      expect(result.code !== 0, 'run succeeds');
      expect(result.stderr.trim() !== '', 'no word about it');
    });
  }
  test('script-with-interpreter', ['config.process.args-entry'], async (box) => {
    writeFileSync(`${box.rootfs}/tmp/script`, '#!/bin/sh\necho "ran $1"\n');
    chmodSync(`${box.rootfs}/tmp/script`, 0o755);
    box.configure('', { '/process/args': ['/tmp/script', 'it'] });
    same((await box.runBundle()).stdout.trim(), 'ran it', 'output');
  });
}

function addPlace(test: Add): void {
  for (const path of ['/', '/tmp', '/bin', '/mnt/../tmp', '/tmp/']) {
    test(`cwd-${path.replaceAll('/', '-')}`, ['config.process.cwd-absolute'], async (box) => {
      const wanted = path === '/' ? '/' : path.includes('tmp') ? '/tmp' : path;
      same(await box.sh('pwd -P', { '/process/cwd': path }), wanted, 'working directory');
    });
  }
  for (const path of ['tmp', './tmp', '../tmp', '']) {
    test(`cwd-relative-${path || 'empty'}`, ['config.process.cwd-absolute', 'config.valid-values'], (box) =>
      box.refused({ '/process/cwd': path }),
    );
  }
  test('cwd-is-file', ['runtime.create.cannot-apply'], async (box) => {
    await box.works();
    const result = await box.run('echo ran', { '/process/cwd': '/etc/passwd' });
    expect(result.code !== 0 && !result.stdout.includes('ran'), `exit status ${result.code}`);
  });
  for (const fd of [3, 7, 8, 9]) {
    test(`cwd-proc-self-fd-${fd}`, ['runtime-linux.file-descriptors'], async (box) => {
      await box.works();
      const result = await box.run('echo in', { '/process/cwd': `/proc/self/fd/${fd}` });
      expect(
        result.code !== 0 && !result.stdout.includes('in'),
        'a descriptor of the runtime became the working directory',
      );
    });
  }
  test('environment-exactly', ['config.process.env'], async (box) => {
    box.configure('', {
      '/process/args': ['/bin/env'],
      '/process/env': ['PATH=/bin', 'HOME=/x', 'A=1', 'EMPTY=', 'B=a=b', 'C=a b'],
    });
    const lines = (await box.runBundle()).stdout.trim().split('\n').sort();
    same(lines, ['A=1', 'B=a=b', 'C=a b', 'EMPTY=', 'HOME=/x', 'PATH=/bin'], 'environment');
  });
  test('environment-of-runtime-stays-out', ['config.process.env'], async (box) => {
    box.configure('env');
    const result = await box.command(['run', '--bundle', box.bundle, box.id], {
      env: { ...process.env, SECRET_OF_HOST: 'x' },
    });
    expect(result.stdout.includes('PATH=/bin'), `no environment at all: ${result.stdout}`);
    expect(!result.stdout.includes('SECRET_OF_HOST'), 'SECRET_OF_HOST came through');
  });
  test('descriptors', ['runtime-linux.file-descriptors'], async (box) => {
    same((await box.sh('ls /proc/$$/fd; true')).split('\n'), ['0', '1', '2'], 'descriptors');
  });
  test('descriptors-of-caller-stay-out', ['runtime-linux.file-descriptors'], async (box) => {
    box.configure('ls -l /proc/$$/fd; true');
    const wrapper = ['bash', '-c', 'exec 9</etc 17</etc 99</etc; exec "$@"', 'sh'];
    const result = await box.command(['run', '--bundle', box.bundle, box.id], { wrapper });
    expect(
      result.code === 0 && !result.stdout.includes('/etc') && result.stdout.split(' -> ').length === 4,
      `descriptors: ${result.stdout.replaceAll('\n', ' ')}`,
    );
  });
}

/** A caller with a score of its own, so that no value is there by chance. */
const callersScore = ['sh', '-c', 'echo 77 >/proc/self/oom_score_adj; exec "$@"', 'sh'] as const;

function addUser(test: Add): void {
  for (const [uid, gid] of [
    [0, 0],
    [1000, 1000],
    [5, 6],
    [0, 7],
    [7, 0],
    [65534, 65534],
    [2147483647, 2147483647],
  ] as const) {
    test(`user-${uid}-${gid}`, ['config.user.ids'], async (box) => {
      same(await box.sh('echo $(id -u) $(id -g)', { '/process/user': { uid, gid } }), `${uid} ${gid}`, 'uid and gid');
    });
  }
  for (const list of [[], [5], [5, 6, 7], [1000, 0]]) {
    test(`additional-groups-${list.join('-') || 'none'}`, ['config.user.groups'], async (box) => {
      const out = await box.sh('grep ^Groups: /proc/self/status', {
        '/process/user': { uid: 1, gid: 2, additionalGids: list },
      });
      const got = out
        .slice(7)
        .trim()
        .split(/\s+/)
        .filter((gid) => gid !== '' && gid !== '2')
        .map(Number)
        .sort((a, b) => a - b);
      same(
        got,
        [...list].sort((a, b) => a - b),
        'groups',
      );
    });
  }
  for (const mask of [0o022, 0o077, 0, 0o027, 0o777]) {
    test(`umask-${mask.toString(8)}`, ['config.user.groups'], async (box) => {
      same(
        Number.parseInt(await box.sh('umask', { '/process/user': { uid: 0, gid: 0, umask: mask } }), 8),
        mask,
        'umask',
      );
    });
  }
  for (const [slug, value] of [
    ['true', true],
    ['false', false],
    ['unset', undefined],
  ] as const) {
    test(`noNewPrivileges-${slug}`, ['config.process.noNewPrivileges'], async (box) => {
      const out = await box.sh('grep NoNewPrivs /proc/self/status', { '/process/noNewPrivileges': value });
      same(out.split(/\s+/)[1], value === true ? '1' : '0', 'NoNewPrivs');
    });
  }
  for (const value of [0, 1, 500, 999, 1000]) {
    test(`oomScoreAdj-${value}`, ['config.process.oom-set'], async (box) => {
      const out = await box.sh('cat /proc/self/oom_score_adj', { '/process/oomScoreAdj': value }, [...callersScore]);
      same(out, String(value), 'oom_score_adj');
    });
  }
  test('oomScoreAdj-unset', ['config.process.oom-unset'], async (box) => {
    box.configure('cat /proc/self/oom_score_adj');
    const result = await box.command(['run', '--bundle', box.bundle, box.id], { wrapper: [...callersScore] });
    same(result.stdout.trim(), '77', "the caller's value");
  });
  for (const value of [1001, -1001, 1.5, '5']) {
    test(
      `oomScoreAdj-${value}-${typeof value}-refused`,
      ['config.valid-values', 'runtime.create.cannot-apply'],
      (box) => box.refused({ '/process/oomScoreAdj': value }),
    );
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function addTerminal(test: Add): void {
  const script = async (box: Parameters<Case['check']>[0], text: string, changes: Changes): Promise<string> => {
    box.configure(text, { '/process/terminal': true, ...changes });
    const line = [box.runtime, '--root', box.root, 'run', '--bundle', box.bundle, box.id].map(quoted).join(' ');
    const result = await box.spawned('script', ['-qec', line, '/dev/null']);
    expect(result.code === 0, `run exits with ${result.code}: ${result.stdout}`);
    return result.stdout.replace(/\r|\^@|\0/g, '').trim();
  };
  test('terminal', [], async (box) => {
    same(await script(box, 'test -t 0 && test -t 1 && test -t 2 && echo all', {}), 'all', 'terminals');
  });
  test('terminal-is-in-the-container', ['linux.devices.default'], async (box) => {
    same(await script(box, 'tty; test -c /dev/console && echo console', {}), '/dev/pts/0\nconsole', 'terminal');
  });
  test('console-size-without-terminal', ['config.process.console-size-ignored'], async (box) => {
    same(
      // No terminal has such a size: it may not matter.
      await box.sh('test -t 1 || echo none', { '/process/consoleSize': { width: 70000, height: 0 } }),
      'none',
      'terminal',
    );
  });
  test('terminal-detached-without-socket', ['runtime.create.cannot-apply'], (box) =>
    box.refused({ '/process/terminal': true }),
  );
  test('socket-without-terminal', [], async (box) => {
    await box.works();
    box.configure('true');
    const result = await box.command(['create', '--bundle', box.bundle, '--console-socket', box.path('none'), box.id]);
    expect(result.code !== 0, 'create accepts it');
  });
  test('socket-missing', ['runtime.create.cannot-apply', 'runtime.errors.clean'], async (box) => {
    await box.works();
    box.configure('true', { '/process/terminal': true });
    const result = await box.command(['create', '--bundle', box.bundle, '--console-socket', box.path('none'), box.id]);
    expect(result.code !== 0, 'create accepts it');
    same(box.leftovers(), [], 'left behind');
  });
}

export function processCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('process', cases);
  addProgram(test);
  addPlace(test);
  addUser(test);
  addOomScores(test);
  addAppArmor(test);
  addSelinux(test);
  addTerminal(test);
  return cases;
}
