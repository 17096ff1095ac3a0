import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { headOf } from '../bundle/known-part.js';
import { config102 } from '../bundle/test-config.js';
import { stringifyExact } from '../tables/exact-json.js';
import { stateFiles } from '../tables/state-files.js';
import { readSnapshot } from './snapshot.js';
import { folderFor } from '../test-fixtures.js';

const folder = folderFor(test, 'snapshot');

test('S49: what create was given, to the last digit, whether the profile is known or not', () => {
  const config = config102();
  const names = Array.from({ length: 99 }, (_, index) => `call_number_${index}`);
  const known = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }] };
  const args = [{ index: 0, value: 9007199254740993n, valueTwo: 18446744073709551615n, op: 'SCMP_CMP_MASKED_EQ' }];
  const large = { ...known, syscalls: [{ names, action: 'SCMP_ACT_ALLOW', args }] };
  const limits = [{ type: 'RLIMIT_CORE', soft: 18446744073709551615n, hard: 18446744073709551615n }];
  const find = (bytes: Uint8Array) => {
    const head = headOf(bytes);
    return { bytes, known: head === undefined ? undefined : { head } };
  };
  for (const seccomp of [known, large]) {
    for (const rlimits of [limits, []]) {
      config.linux.seccomp = seccomp;
      config.process.rlimits = rlimits;
      const text = stringifyExact(config);
      writeFileSync(join(folder, stateFiles.config), text);
      for (const looked of [readSnapshot(folder), readSnapshot(folder, find)]) {
        assert.is(looked.spec.process?.rlimits?.[0]?.soft, rlimits[0]?.soft);
        assert.equal(looked.spec.linux?.seccomp?.syscalls, seccomp.syscalls);
        assert.is(looked.spec.linux?.cgroupsPath, config.linux.cgroupsPath);
      }
    }
  }
});

test.run();
