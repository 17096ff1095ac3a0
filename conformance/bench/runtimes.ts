// Which runtimes are measured: --runtime NAME=PATH of the command line, else the known ones.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

export function findRuntimes(given: readonly string[]): Map<string, string> {
  const found = new Map([
    ['tsrun', resolve('dist/tsrun')],
    ['crun', '/usr/bin/crun'],
    ['runc', '/usr/sbin/runc'],
  ]);
  for (const argument of given) {
    const [name = '', path = ''] = argument.split('=');
    if (path === '') found.delete(name);
    else found.set(name, resolve(path));
  }
  for (const [name, path] of found) {
    if (existsSync(path)) continue;
    console.error(`bench: no ${name} at '${path}': left out`);
    found.delete(name);
  }
  return found;
}
