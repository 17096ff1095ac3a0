import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cgroupModes, type MessageShape, networkLocks, requestShape, requestTypes } from './criu.js';

/** What the installed CRIU itself says; in Debian's package. */
const installed = '/usr/include/criu/rpc.proto';

/** Fields of a message and values of an enum by the block's name: `criu_opts` → `pid` → type and number. */
function blocksOf(proto: string): Map<string, Map<string, { type: string; number: number }>> {
  const blocks = new Map<string, Map<string, { type: string; number: number }>>();
  const text = proto.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*/g, '');
  for (const [, name = '', body = ''] of text.matchAll(/(?:message|enum)\s+(\w+)\s*\{([^}]*)\}/g)) {
    const fields = new Map<string, { type: string; number: number }>();
    for (const [, type = '', field = '', number] of body.matchAll(
      /(?:\w+\s+)??(?:(\w+)\s+)?(\w+)\s*=\s*(\d+)\s*[;[]/g,
    )) {
      fields.set(field, { type, number: Number(number) });
    }
    blocks.set(name, fields);
  }
  return blocks;
}

function compare(blocks: ReturnType<typeof blocksOf>, block: string, shape: MessageShape): void {
  for (const [field, entry] of Object.entries(shape)) {
    const [number, inner] = typeof entry === 'number' ? [entry, undefined] : entry;
    const there = blocks.get(block)?.get(field);
    assert.is(there?.number, number, `${block}.${field}`);
    if (inner) compare(blocks, there?.type ?? '', inner);
  }
}

const check = existsSync(installed) ? test : test.skip;

check('fields and values are those of the installed rpc.proto', () => {
  const blocks = blocksOf(readFileSync(installed, 'utf8'));
  compare(blocks, 'criu_req', requestShape);
  const types = blocks.get('criu_req_type');
  const { dump, restore, preDump, notify } = requestTypes;
  assert.equal(
    [dump, restore, preDump, notify],
    ['DUMP', 'RESTORE', 'PRE_DUMP', 'NOTIFY'].map((name) => types?.get(name)?.number),
  );
  for (const [word, number] of cgroupModes) {
    assert.is(blocks.get('criu_cg_mode')?.get(word.toUpperCase())?.number, number, word);
  }
  for (const [word, number] of networkLocks) {
    assert.is(blocks.get('criu_network_lock_method')?.get(word.toUpperCase())?.number, number, word);
  }
});

test.run();
