/** `--debug` on the real thing: what it tells, that it keeps secrets (S53), and that it changes nothing. Needs root. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { containerSuite, type TestContainer } from '../executor/test-container.js';

const { tests, test } = containerSuite('debug');

interface Entry {
  readonly level: string;
  readonly msg: string;
  readonly elapsed_ms?: number;
  readonly part?: string;
  readonly pointer?: string;
  readonly step?: string;
  readonly errno?: string;
}

function logOf({ folder }: TestContainer): Entry[] {
  const lines = readFileSync(join(folder, 'debug.log'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Entry);
}

const flags = ({ folder }: TestContainer): string[] => [
  '--debug',
  '--log',
  join(folder, 'debug.log'),
  '--log-format',
  'json',
];

test('each phase, the host and each step are told, with pointer, result and time', (container) => {
  container.prepare('echo in; exit 3');
  const { status, output, errors } = container.tsrun([
    ...flags(container),
    'run',
    '-b',
    container.folder,
    container.id,
  ]);
  assert.equal([status, output, errors], [3, 'in', '']);
  const log = logOf(container);
  const of = (part: string): Entry[] => log.filter((entry) => entry.part === part);
  assert.ok(of('engine').length >= 10 && of('executor').length >= 30, `${log.length} lines`);
  const text = log.map(({ msg }) => msg).join('\n');
  for (const phase of [
    / read .*config\.json/,
    /kernel [0-9]/,
    /cgroup v[12]/,
    /driver cgroupfs, named for/,
    /compiled to [0-9]+ steps/,
  ])
    assert.match(text, phase);
  const proc = log.find(({ step }) => step === 'mount proc on /proc');
  assert.is(proc?.pointer, '/mounts/0');
  assert.match(proc?.msg ?? '', /^[0-9.]+ ms executor: \/mounts\/0: init: mount proc on \/proc: done in [0-9.]+ ms$/);
  assert.match(log.at(-1)?.msg ?? '', /the plan is done, process [0-9]+, exit status 3$/);
  let last = 0;
  for (const { level, elapsed_ms: at = -1, msg } of log) {
    assert.is(level, 'debug');
    assert.ok(at >= last - 0.02, `${msg} comes after ${last} ms`);
    last = at;
  }
  const steps = of('executor').flatMap(({ step = '', pointer = '' }) => (step === '' ? [] : [`${pointer} ${step}`]));
  assert.is(new Set(steps).size, steps.length, 'each step once');
});

test('a failure is told where it is, and then the error as ever', (container) => {
  container.prepare('true', { mounts: [{ destination: '/mnt', type: 'nosuch', source: 'none' }] });
  const { status, errors } = container.tsrun([...flags(container), 'run', '-b', container.folder, container.id]);
  assert.is(status, 1);
  assert.is(errors.split('\n').length, 1, 'the plain line is all on standard error');
  const log = logOf(container);
  const failed = log.find(({ errno, level }) => errno === 'ENODEV' && level === 'debug');
  assert.match(failed?.msg ?? '', /mount nosuch on \/mnt: ENODEV from fsopen/);
  assert.match(log.map(({ msg }) => msg).join('\n'), /[0-9]+ steps not carried out: the plan has come to its end/);
  assert.is(log.at(-1)?.level, 'error');
});

test('every command tells something, and none of it is a secret (S53)', (container) => {
  const secret = 'canary-of-the-environment';
  container.prepare('sleep 60', {
    process: { env: ['PATH=/usr/bin:/bin', `SECRET=${secret}`], args: ['/bin/sh', '-c', `: ${secret}; exec sleep 60`] },
    spec: {
      annotations: { 'com.example.token': secret },
      hooks: { prestart: [{ path: '/bin/true', args: ['true', secret], env: [`TOKEN=${secret}`] }] },
    },
  });
  const run = (...words: string[]): number => {
    const before = (() => {
      try {
        return logOf(container).length;
      } catch {
        return 0;
      }
    })();
    assert.is(
      container.tsrun([...flags(container), ...words], ['sh', '-c', 'exec "$@" >/dev/null 2>&1', 'sh']).status,
      0,
      words.join(' '),
    );
    return logOf(container).length - before;
  };
  const { id, folder } = container;
  assert.ok(run('create', '-b', folder, id) > 40);
  assert.ok(run('start', id) > 3);
  assert.ok(run('exec', '--env', `MORE=${secret}`, id, 'true', secret) > 20);
  for (const words of [
    ['state', id],
    ['pause', id],
    ['resume', id],
    ['update', '--pids-limit', '99', id],
    ['kill', id, 'KILL'],
    ['delete', '-f', id],
  ])
    assert.ok(run(...words) >= 3, words.join(' '));
  assert.not.ok(readFileSync(join(folder, 'debug.log'), 'utf8').includes(secret));
});

tests.run();
