import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { catalogue } from './catalogue.js';
import { runtimeRows } from './catalogue-runtime.js';

const sources = fileURLToPath(new URL('../../../../src', import.meta.url));

function* files(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else if (/(?<!\.test)\.ts$/.test(name) && !name.startsWith('catalogue') && !name.startsWith('test-')) yield path;
  }
}

/** Codes as they stand in the sources; one that ends in `_` is put together there, and counts as its prefix. */
function codesInUse(): { codes: Set<string>; prefixes: string[] } {
  const found = new Set<string>();
  for (const file of files(sources)) {
    for (const match of readFileSync(file, 'utf8').matchAll(/['`](TSR_[A-Z0-9_]+)/g)) found.add(match[1]!);
  }
  const prefixes = [...found].filter((code) => code.endsWith('_'));
  return { codes: new Set([...found].filter((code) => !code.endsWith('_'))), prefixes };
}

test('every code that can be thrown has its paragraph, and every paragraph its code', () => {
  const { codes, prefixes } = codesInUse();
  assert.ok(codes.size > 50, 'the sources were found');
  assert.equal([...codes].filter((code) => !catalogue.has(code)).sort(), []);
  const unused = [...catalogue.keys()].filter(
    (code) => !codes.has(code) && !prefixes.some((prefix) => code.startsWith(prefix)),
  );
  assert.equal(unused, []);
});

test('paragraphs are sentences, rows are sorted and unique', () => {
  for (const [code, paragraph] of catalogue) assert.match(paragraph, /^\S.*\.$/, code);
  const codes = runtimeRows.map(([code]) => code);
  assert.equal(codes, [...codes].sort());
  assert.is(new Set([...catalogue.keys()]).size, catalogue.size);
  const text =
    readFileSync(join(sources, 'errors/catalogue.ts'), 'utf8') +
    readFileSync(join(sources, 'errors/catalogue-runtime.ts'), 'utf8');
  const rows = [...text.matchAll(/^\s+\[?'(TSR_[A-Z0-9_]+)',/gm)].map((match) => match[1]);
  assert.is(rows.length, catalogue.size, 'a code has two rows');
});

test.run();
