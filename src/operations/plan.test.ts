// Every 64-bit number of a config on its way into a plan and a record.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Shape, shapeAt } from '../bundle/shape.js';
import { specKind } from '../bundle/spec-document.js';
import { config130, type Json } from '../bundle/test-config.js';
import { TsrunError } from '../errors/error.js';
import { encodePlan } from '../plan/encode.js';
import { planContainer } from './plan.js';

const folder = mkdtempSync(join(tmpdir(), 'tsrun-plan-'));
mkdirSync(join(folder, 'rootfs'));
test.after(() => rmSync(folder, { recursive: true }));

const isLong = (shape: Shape | undefined): boolean =>
  shape !== undefined && (shape as Json).is === 'integer' && BigInt((shape as Json).max ?? 0) > 1n << 53n;

/** Where the value has a number of 64 bits. */
function* longNumbers(value: Json, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      yield* longNumbers(item, [...path, Array.isArray(value) ? Number(key) : key]);
    }
  } else if (isLong(shapeAt(specKind.shape, path))) yield path;
}

/** JSON with `digits` at one place, which no double could hold. */
function textWith(config: Json, path: readonly (string | number)[], digits: string): string {
  const changed = structuredClone(config);
  let holder = changed;
  for (const key of path.slice(0, -1)) holder = holder[key];
  holder[path.at(-1)!] = 'HERE';
  return JSON.stringify(changed).replace('"HERE"', digits);
}

test('a plan is made or refused with a pointer, whatever 64-bit number stands at a key', () => {
  const config = config130();
  // What this host need not have.
  for (const key of ['seccomp', 'intelRdt', 'netDevices']) delete config.linux[key];
  config.root.path = 'rootfs';
  config.process.scheduler = { policy: 'SCHED_DEADLINE', runtime: 5000, deadline: 6000, period: 7000 };
  const places = [...longNumbers(config)];
  assert.ok(places.length > 15, `only ${places.length}`);
  const root = { path: join(folder, 'state'), isDefault: false } as Json;
  for (const path of places) {
    for (const digits of ['9007199254740993', '9223372036854775807', '18446744073709551615']) {
      writeFileSync(join(folder, 'config.json'), textWith(config, path, digits));
      try {
        const { plan, draft } = planContainer({
          root,
          id: 'web',
          bundle: folder,
          mode: 'create',
          driver: 'cgroupfs',
          switches: { preserveFds: 0, consoleSocket: '/console' },
        });
        encodePlan(plan);
        JSON.stringify(draft);
      } catch (error) {
        assert.instance(error, TsrunError, `${path.join('/')} ${digits}: ${(error as Error).stack}`);
        const { pointer, code } = (error as TsrunError).failure;
        assert.ok(
          pointer !== undefined && pointer !== '' && code !== 'TSR_INTERNAL',
          `${path.join('/')} ${digits}: ${code}`,
        );
      }
    }
  }
});

test.run();
