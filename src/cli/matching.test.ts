// kill --regex and delete --regex, from outside. Needs root and dist/tsrun.
import { spawnSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { containerSuite, type TestContainer } from '../executor/test-container.js';

const { tests, test: withContainer } = containerSuite('matching');
const test = (name: string, body: (container: TestContainer, ids: readonly string[]) => void): void =>
  withContainer(name, (container) => {
    container.prepare('sleep 60');
    const ids = ['web-1', 'web-2', 'db'].map((end) => `${container.id}-${end}`);
    try {
      for (const id of ids) {
        const create = ['create', '--bundle', container.folder, id];
        assert.is(container.tsrun(create, ['sh', '-c', '"$@" >/dev/null 2>&1', 'sh']).status, 0);
      }
      body(container, ids);
    } finally {
      for (const id of ids) container.tsrun(['delete', '--force', id]);
    }
  });
const left = (container: TestContainer): string[] => container.tsrun(['list', '-q']).output.split('\n').filter(Boolean);
const status = (container: TestContainer, id: string): string =>
  JSON.parse(container.tsrun(['state', id]).output).status;

test('delete --regex deletes what the pattern finds, and nothing else', (container, ids) => {
  assert.is(container.tsrun(['delete', '--force', '--regex', 'web-[0-9]$']).status, 0);
  assert.equal(left(container), [ids[2]]);
  assert.is(container.tsrun(['delete', '-f', '-r', 'nobody']).status, 0);
  assert.equal(left(container), [ids[2]]);
});

test("kill --regex reaches every match; one that is not running is an error, and not the others'", (container, ids) => {
  assert.is(container.tsrun(['kill', ids[0]!, 'KILL']).status, 0);
  for (let i = 0; i < 200 && status(container, ids[0]!) !== 'stopped'; i++) spawnSync('sleep', ['0.01']);
  const { status: code, errors } = container.tsrun(['kill', '--regex', 'web', 'KILL']);
  assert.is(code, 1);
  assert.match(errors, `${ids[0]}: container not running`);
  for (let i = 0; i < 200 && status(container, ids[1]!) !== 'stopped'; i++) spawnSync('sleep', ['0.01']);
  assert.equal(
    ids.map((id) => status(container, id)),
    ['stopped', 'stopped', 'created'],
  );
});

test('what is no pattern is refused before anything happens', (container, ids) => {
  const { status: code, errors } = container.tsrun(['delete', '--force', '--regex', '(']);
  assert.is(code, 1);
  assert.match(errors, "'(' is not a regular expression");
  assert.equal(left(container).sort(), [...ids].sort());
});

tests.run();
