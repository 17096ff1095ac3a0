import { type Case, expect, same, topic } from '../harness.js';

const names =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM CHLD CONT URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );
const numbers: Record<string, number> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
};

const waiting = (number: number) => `trap 'echo got; exit 7' ${number}; echo up; while :; do sleep 0.05; done`;

export function signalCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('signals', cases);
  const sent = (slug: string, argument: string | undefined, number: number) =>
    test(slug, ['runtime.kill.sends'], async (box) => {
      // A child that ends sends CHLD by itself: read waits without one.
      await box.started(
        number === 17
          ? `trap 'echo got; exit 7' 17; echo up; mkfifo /tmp/f; read x <>/tmp/f; sleep 9`
          : waiting(number),
      );
      await box.untilOutput('up');
      if (number === 17) await new Promise((done) => setTimeout(done, 100));
      await box.ok('kill', box.id, ...(argument === undefined ? [] : [argument]));
      await box.untilOutput('got');
    });
  for (const name of names) if (name !== 'CHLD') sent(`by-name-${name}`, name, numbers[name]!);
  for (const name of ['HUP', 'TERM', 'USR1']) sent(`with-prefix-SIG${name}`, `SIG${name}`, numbers[name]!);
  for (const name of ['HUP', 'TERM', 'USR1', 'USR2'])
    sent(`by-number-${numbers[name]}`, String(numbers[name]), numbers[name]!);
  sent('lower-case', 'term', 15);
  sent('default-is-TERM', undefined, 15);
  sent('realtime-40', '40', 40);
  test('stop-signal-of-the-image', ['config.annotations.stop-signal'], async (box) => {
    await box.started(waiting(numbers.USR2!), { '/annotations': { 'org.opencontainers.image.stopSignal': 'SIGUSR2' } });
    await box.untilOutput('up');
    await box.ok('kill', box.id);
    await box.untilOutput('got');
  });
  for (const [slug, argument] of [
    ['KILL', 'KILL'],
    ['9', '9'],
    ['SIGKILL', 'SIGKILL'],
  ] as const) {
    test(`kill-by-${slug}`, ['runtime.kill.sends'], async (box) => {
      await box.started('sleep 30');
      await box.ok('kill', box.id, argument);
      await box.untilStatus('stopped');
    });
  }
  test('zero-only-asks', [], async (box) => {
    await box.started('sleep 30');
    await box.ok('kill', box.id, '0');
    same(await box.status(), 'running', 'status');
  });
  test('created-container', ['runtime.kill.sends'], async (box) => {
    await box.created('sleep 30');
    await box.ok('kill', box.id, 'KILL');
    await box.untilStatus('stopped');
  });
  for (const bad of ['NOSUCH', '99', '-1', '9abc', 'SIG', 'constructor', '1.5', '0x9']) {
    test(`refused-${bad}`, ['runtime.kill.sends'], async (box) => {
      await box.started('sleep 30');
      await box.error('kill', box.id, bad);
      same(await box.status(), 'running', 'status');
    });
  }
  test('all-processes', [], async (box) => {
    await box.started(
      "sh -c 'trap \"echo child; exit\" USR1; echo up; while :; do sleep 0.05; done' & trap 'echo init' USR1; wait; wait; sleep 0.2",
    );
    await box.untilOutput('up');
    await box.ok('kill', '--all', box.id, 'USR1');
    await box.untilOutput('child');
    expect(box.output().includes('child'), box.output());
  });
  return cases;
}
