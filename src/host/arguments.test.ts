import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeLossless, encodeLossless, hasRawBytes } from '../tables/lossless-text.js';

test('arguments that are no UTF-8 arrive byte by byte', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-arguments-'));
  const script = join(folder, 'print.mjs');
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  writeFileSync(
    script,
    `import { commandLine } from ${module('./arguments.js')};
     import { encodeLossless } from ${module('../tables/lossless-text.js')};
     process.stdout.write(JSON.stringify(commandLine().map((a) => [...encodeLossless(a)])));`,
  );
  const shell = `exec "$0" "$1" web "$(printf 'a\\377\\376b')" é "" "$(printf '\\357\\277\\275')"`;
  const result = spawnSync('sh', ['-c', shell, process.execPath, script], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  const bytes = (text: string) => [...new TextEncoder().encode(text)];
  assert.equal(JSON.parse(result.stdout), [bytes('web'), [97, 255, 254, 98], bytes('é'), [], [0xef, 0xbf, 0xbd]]);
});

test('every byte string survives the way to text and back', () => {
  const samples = [
    [0xff],
    [0xc3],
    [0xc3, 0x28],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xc0, 0x80],
    [0xef, 0xbb, 0xbf],
  ];
  for (let first = 0; first < 256; first++)
    for (let second = 0; second < 256; second += 7) samples.push([first, second, 0x80, 0x61]);
  for (const sample of samples)
    assert.equal([...encodeLossless(decodeLossless(Uint8Array.from(sample)))], sample, String(sample));
});

test('valid text is left as it is', () => {
  const text = 'é漢😀\ufffd';
  assert.is(decodeLossless(new TextEncoder().encode(text)), text);
  assert.not(hasRawBytes(text));
  assert.not(hasRawBytes('😀'));
  assert.ok(hasRawBytes(decodeLossless(Uint8Array.of(0x61, 0xff))));
});

test.run();
