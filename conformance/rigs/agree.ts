// T-AGREE: what `check --bundle` says of a bundle is what `run` then does. Bundles: every example of docs/config, good and bad, the sample
// bundles, and a table of what hosts lack; as root, and those that an ordinary user may have as nobody. What lies below the root check does not
// look at (security.md S01), so a program or working directory that is not there is found by run alone.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { configOf, configText, readPages } from '../../src/build/config-pages.js';
import { executorPath } from '../../src/host/executor.js';
import { payload, type Subject, table } from './agree-table.js';
import { finish, report } from './report.js';

interface Finding {
  readonly kind: string;
  readonly pointer: string;
}

const host = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'v2' : 'v1';
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
function examples(): Subject[] {
  return readPages().flatMap(({ name, examples: of }) =>
    of
      .filter((example) => !example.planOnly && (example.host === undefined || example.host === host))
      .map((example, index) => ({
        name: `docs/config/${name}.md, example ${index + 1}`,
        ...(/exit status/.test(example.error ?? '') ? ({ unseen: true } as const) : {}),
        config: configOf(example, example.error === undefined ? payload : undefined),
      })),
  );
}

const busybox = (rootfs: string): void => {
  for (const name of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp']) ensureDirSync(join(rootfs, name));
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n');
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'));
  for (const name of ['sh', 'true', 'sleep', 'cat', 'touch']) symlinkSync('busybox', join(rootfs, 'bin', name));
};

/** Where run may fail although check found nothing: below the root. */
const belowRoot = /^\/process\/(args|cwd)/;

/** What they disagree about; '' if they do not. */
function compare(folder: string, { config }: Subject, who: readonly string[]): string {
  writeFileSync(join(folder, 'config.json'), configText(config));
  const call = (...words: string[]) => {
    const [file = '', ...args] = [
      ...who,
      executorPath(),
      '--root',
      join(folder, who.length > 0 ? 'state-nobody' : 'state'),
      ...words,
    ];
    return spawnSync(file, args, {
      encoding: 'utf8',
      timeout: 30_000,
      killSignal: 'SIGKILL',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
  };
  const check = call('check', '--json', '--bundle', folder);
  const ran = call('run', '--bundle', folder, 'agree');
  if (ran.status === null) call('delete', '--force', 'agree');
  const said = `check: ${check.status} ${check.stdout.replace(/\s+/g, ' ')}${check.stderr}\nrun: ${ran.status} ${ran.stdout}${ran.stderr}`;
  const started = ran.stdout.includes('started') || ran.status === 0;
  if (check.status === 1)
    return started ? `check says that it does not start, and it does\n${said}` : blame(check.stdout, ran.stderr, said);
  if (check.status !== 0 && check.status !== 2) return `check ends with ${check.status}\n${said}`;
  if (started) return ran.status === 7 || ran.status === 0 ? '' : `it starts and ends oddly\n${said}`;
  return belowRoot.test(pointerIn(ran.stderr)) ? '' : `check says that it starts, and it does not\n${said}`;
}

const pointerIn = (errors: string): string => /\((\/[^)]*)\)/.exec(errors)?.[1] ?? '';

/** Both name the same key, or one above the other; run stops at the first of several. */
function blame(output: string, errors: string, said: string): string {
  const { findings } = JSON.parse(output) as { findings: Finding[] };
  const pointers = findings.filter(({ kind }) => kind === 'error' || kind === 'missing').map(({ pointer }) => pointer);
  const place = pointerIn(errors);
  const related = pointers.some(
    (pointer) => pointer === '' || place === '' || place.startsWith(pointer) || pointer.startsWith(place),
  );
  return related ? '' : `they blame different keys\n${said}`;
}

export function agreeRig(long: boolean): void {
  const began = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-rig-'));
  chmodSync(folder, 0o755);
  busybox(join(folder, 'rootfs'));
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data/greeting'), 'hello\n');
  mkdirSync(join(folder, 'state-nobody'));
  chmodSync(join(folder, 'state-nobody'), 0o700);
  chownSync(join(folder, 'state-nobody'), 65534, 65534);
  const subjects = [...table, ...examples()];
  let count = 0;
  for (const one of subjects)
    for (const who of one.rootless || long ? [[], nobody] : [[]]) {
      count++;
      const problem = compare(folder, one, who);
      const seen = one.unseen && problem === '' ? 'check sees it: take the mark away' : '';
      report(`${one.name}${who.length > 0 ? ', as nobody' : ''}`, one.unseen ? seen : problem);
    }
  removeSync(folder);
  finish('T-AGREE', began, count);
}
