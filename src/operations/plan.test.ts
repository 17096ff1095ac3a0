// Every 64-bit number of a config on its way into a plan and a record.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Shape, shapeAt } from '../bundle/shape.js';
import { specKind } from '../bundle/spec-document.js';
import { config130, type Json } from '../bundle/test-config.js';
import { TsrunError } from '../errors/error.js';
import { encodePlan } from '../plan/encode.js';
import { compileCgroup } from '../plan/phases/cgroup.js';
import { placeCgroup } from '../plan/phases/cgroup-placement.js';
import { hostFacts } from '../plan/phases/cgroup-test-facts.js';
import { placeInSystemd } from '../plan/phases/systemd-placement.js';
import { compileUnitPart } from '../plan/phases/systemd-unit.js';
import { planContainer } from './plan.js';
import { folderFor } from '../test-fixtures.js';

const folder = folderFor(test, 'plan');
mkdirSync(join(folder, 'rootfs'));

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

/** Undefined: it was refused, with the place. */
function attempt<T>(where: string, call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    assert.instance(error, TsrunError, `${where}: ${(error as Error).stack}`);
    const { pointer, code } = (error as TsrunError).failure;
    assert.ok(pointer !== undefined && pointer !== '' && code !== 'TSR_INTERNAL', `${where}: ${code}`);
    return undefined;
  }
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
      const text = textWith(config, path, digits);
      const where = `${path.join('/')} ${digits}`;
      writeFileSync(join(folder, 'config.json'), text);
      // Without cgroups for what this host has of them; those follow for both versions and in a unit.
      const request = { root, id: 'web', bundle: folder, mode: 'create', driver: 'disabled' } as const;
      const spec = attempt(where, () => {
        const { plan, draft, spec } = planContainer({ ...request, switches: { preserveFds: 0, consoleSocket: '/c' } });
        encodePlan(plan);
        JSON.stringify(draft);
        return spec;
      });
      for (const mode of ['v1', 'v2'] as const) {
        const facts = hostFacts(mode);
        if (spec === undefined) continue;
        const record = placeInSystemd('system.slice:x:y', 'web', facts);
        const helper = { path: '/t', args: [] };
        attempt(where, () => compileCgroup(spec, placeCgroup('/web', 'web', facts, 'cgroupfs'), facts));
        attempt(where, () =>
          compileCgroup(spec, record, facts, compileUnitPart(spec, 'web', record, facts, [], helper)),
        );
      }
    }
  }
});

test.run();
