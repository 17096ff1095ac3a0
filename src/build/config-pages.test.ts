// Every example of docs/config is planned, and run where this machine can; UPDATE_GOLDEN=1 writes down what came out.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureDirSync } from 'fs-extra/esm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { specKind } from '../bundle/spec-document.js';
import { checkSource } from '../bundle/validate.js';
import { configOf, configText, type Example, folder, type Page, readPages } from './config-pages.js';
import { folderFor, isRoot } from '../test-fixtures.js';

const runtime = resolve('dist/tsrun');
const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
const canRun = isRoot && busybox !== undefined && existsSync(runtime);
const host = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'v2' : 'v1';

const top = folderFor(test, 'pages');
const bundle = join(top, 'bundle');
test.before(() => {
  chmodSync(top, 0o755); // root of a user namespace has to get in
  for (const name of ['rootfs/bin', 'rootfs/etc', 'rootfs/proc', 'rootfs/sys', 'rootfs/dev', 'rootfs/tmp', 'data'])
    ensureDirSync(join(bundle, name));
  writeFileSync(join(bundle, 'data/greeting'), 'hello\n');
  writeFileSync(
    join(bundle, 'rootfs/etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n',
  );
  if (!busybox) return;
  copyFileSync(busybox, join(bundle, 'rootfs/bin/busybox'));
  const applets = spawnSync(busybox, ['--list'], { encoding: 'utf8' }).stdout.trim().split('\n');
  for (const name of applets) if (name !== 'busybox') symlinkSync('busybox', join(bundle, 'rootfs/bin', name));
});

function tsrun(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const options = { encoding: 'utf8', timeout: 60_000, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } } as const;
  return spawnSync(runtime, ['--root', join(top, 'state'), ...args], options);
}

/** Runs the example; a container that hangs is removed. */
function run(example: Example, command?: string): { status: number | null; stdout: string; stderr: string } {
  writeFileSync(join(bundle, 'config.json'), configText(configOf(example, command)));
  const result = tsrun('run', '--bundle', bundle, 'demo');
  if (result.status === null) tsrun('delete', '--force', 'demo');
  // A terminal ends lines with both.
  const stdout = result.stdout.replaceAll('\r\n', '\n');
  return { ...result, stdout, stderr: result.stderr.replaceAll(bundle, '/bundle').trimEnd() };
}

/** `…` stands for anything within a line. */
function fits(actual: string, wanted: string): boolean {
  const parts = wanted
    .trimEnd()
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(actual.trimEnd());
}

/** Compares, or writes down. */
function expect(page: Page, block: { head: string; wanted: string }, actual: string): void {
  if (fits(actual, block.wanted)) return;
  if (!process.env.UPDATE_GOLDEN) assert.is(actual.trimEnd(), block.wanted.trimEnd(), `${page.name}: ${block.head}`);
  const path = `${folder}/${page.name}.md`;
  const [before, after] = [block.wanted, actual].map((text) => (text === '' ? '' : `${text.trimEnd()}\n`));
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(`${block.head}\n${before}\`\`\``, () => `${block.head}\n${after}\`\`\``),
  );
}

function checkExample(page: Page, example: Example): void {
  if (example.error === undefined) {
    const { errors } = checkSource({ name: page.name, text: configText(configOf(example)) }, specKind);
    assert.equal(errors, [], page.name);
  }
  if (example.planOnly) return;
  if (example.host !== undefined && example.host !== host) return;
  if (example.error === undefined) {
    writeFileSync(join(bundle, 'config.json'), configText(configOf(example)));
    const { status, stderr } = tsrun('plan', '--bundle', bundle);
    if (!isRoot && /takes root's rights|only root can/.test(stderr)) return;
    assert.equal([status, stderr], [0, ''], page.name);
  } else if (canRun) {
    const head = example.runs[0]?.command;
    expect(page, { head: '```error', wanted: example.error }, run(example, head).stderr);
  }
  if (!canRun || example.error !== undefined) return;
  for (const { command, output, host: only } of example.runs) {
    if (only !== undefined && only !== host) continue;
    const result = run(example, command);
    // The page says it: not every filesystem can be mapped, and the temporary folder may be on one that cannot.
    if (/id-mapped: EINVAL/.test(result.stderr)) continue;
    const shown = `$ ${command.replaceAll('\n', '\n> ')}`;
    expect(page, { head: shown, wanted: output }, result.stdout + result.stderr);
  }
}

for (const page of readPages()) {
  test(`the examples of ${page.title} are as stated`, () => {
    assert.ok(page.examples.length > 0, 'a page has an example');
    for (const example of page.examples) checkExample(page, example);
  });
}

test.run();
