import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { absolutePath, chooseRoot, isKeptPlan, isTemporary, type RootFacts } from './layout.js';

const facts = (euid: number, environment: Record<string, string> = {}): RootFacts => ({
  euid,
  environment: (name) => environment[name] || undefined,
  currentDirectory: () => '/work/dir',
});

test('root keeps its state in /run, whatever XDG_RUNTIME_DIR says', () => {
  assert.equal(chooseRoot(undefined, facts(0, { XDG_RUNTIME_DIR: '/run/user/0' })), {
    path: '/run/tsrun',
    explicit: false,
    sticky: false,
  });
});

test('others keep it in XDG_RUNTIME_DIR; an empty or relative one does not count', () => {
  assert.equal(chooseRoot(undefined, facts(1000, { XDG_RUNTIME_DIR: '/run/user/1000' })), {
    path: '/run/user/1000/tsrun',
    explicit: false,
    sticky: true,
  });
  for (const XDG_RUNTIME_DIR of ['', 'relative']) {
    assert.is(chooseRoot(undefined, facts(1000, { XDG_RUNTIME_DIR })).path, '/run/tsrun');
  }
});

test('--root is made absolute at once', () => {
  assert.equal(chooseRoot('state/../x//y/.', facts(0)), { path: '/work/dir/x/y', explicit: true, sticky: false });
  assert.is(chooseRoot('/a/b/', facts(0)).path, '/a/b');
});

test("--root that is the file system's root is refused, however it is written", () => {
  for (const root of ['/', '', '//', '/..', '/a/..', '../../../..', '/.']) {
    assert.throws(() => chooseRoot(root, facts(0)), /Option --root argument should not be set to \//, root);
  }
});

test('paths are resolved without looking at the disk', () => {
  assert.is(absolutePath('../a/./b//c/..', '/x/y'), '/x/a/b');
  assert.is(absolutePath('', '/x'), '/x');
  assert.is(absolutePath('..', '/'), '/');
});

test('knows what a killed writer leaves, and nothing else', () => {
  const left = ['.state.json.123', '.state.json.tsrun', '.provisional.json.9', '.config.json.1', '.start.json.1'];
  for (const name of [...left, '.execs.12', '.exec-0.plan.12', '.resources.json.1']) assert.ok(isTemporary(name), name);
  for (const name of ['start-0.plan', 'delete-0.plan.new', 'exec-3.plan', 'exec-j.plan'])
    assert.ok(isKeptPlan(name), name);
  for (const name of ['plan', 'exec-.plan', 'exec-k.plan', 'exec-0.plan.12', '../exec-0.plan'])
    assert.not(isKeptPlan(name), name);
  for (const name of ['state.json', '.state.json', '.hidden', '.state.json.a/b', 'x.state.json.1'])
    assert.not(isTemporary(name), name);
});

test.run();
