import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderLine, renderPlain, sanitise } from './render.js';

const bytes = (text: string) => new TextEncoder().encode(text).length;

test('says where, what and why on one line, the cause last', () => {
  const failure = {
    code: 'TSR_TEST',
    message: 'mount tmpfs on /run',
    step: 'mount tmpfs on /run',
    pointer: '/mounts/3',
    errno: 'EPERM',
  };
  assert.is(
    renderLine('tsrun create web', failure),
    'tsrun create web: mounts[3] (/mounts/3): mount tmpfs on /run: EPERM (operation not permitted)',
  );
});

test('names nested keys as a person writes them', () => {
  const at = (pointer: string) => renderLine('tsrun', { code: 'TSR_TEST', message: 'bad', pointer });
  assert.is(
    at('/process/capabilities/bounding/2'),
    'tsrun: process.capabilities.bounding[2] (/process/capabilities/bounding/2): bad',
  );
  assert.is(at('/linux/sysctl/a~1b~0c'), 'tsrun: linux.sysctl.a/b~c (/linux/sysctl/a~1b~0c): bad');
});

test('puts the hint after the cause and the detail before it', () => {
  const failure = {
    code: 'TSR_TEST',
    message: 'cannot write state.json',
    detail: 'tmpfs is full',
    errno: 'ENOSPC',
    hint: 'free some',
  };
  assert.is(
    renderLine('tsrun', failure),
    'tsrun: cannot write state.json: tmpfs is full: ENOSPC (no space left on device); free some',
  );
});

test('keeps the step when the message does not say it', () => {
  assert.is(
    renderLine('tsrun', { code: 'TSR_TEST', message: 'no such user', step: 'set uid' }),
    'tsrun: set uid: no such user',
  );
});

test('escapes what would break a line, a terminal or a log', () => {
  assert.is(sanitise('a\nb\tc\rd\x1b[31m\x00\x7f\x9b'), 'a\\nb\\tc\\rd\\x1b[31m\\x00\\x7f\\x9b');
  assert.is(sanitise('x\u202eexe.txt\u2028'), 'x\\u202eexe.txt\\u2028');
  assert.is(sanitise('\udcff\udcc3 \ud800'), '\\xff\\xc3 \\ud800');
  assert.is(sanitise('é 漢 😀 "quoted"'), 'é 漢 😀 "quoted"');
});

test('never writes more than one atomic pipe write, and keeps both ends', () => {
  for (const filler of ['x'.repeat(50_000), '😀'.repeat(9_000), '\x01'.repeat(5_000), 'é漢'.repeat(3_000)]) {
    const line = renderLine('tsrun create web', { code: 'TSR_TEST', message: filler, errno: 'EPERM' });
    assert.ok(bytes(line) < 4096 && bytes(line) > 3800, String(bytes(line)));
    assert.ok(line.startsWith('tsrun create web: ') && line.endsWith('EPERM (operation not permitted)'));
    assert.is(new TextDecoder().decode(new TextEncoder().encode(line)), line, 'no split surrogate');
  }
  assert.is(renderPlain('x'.repeat(4000)), 'x'.repeat(4000));
  assert.ok(bytes(renderPlain('x'.repeat(4001))) <= 4000);
});

test.run();
