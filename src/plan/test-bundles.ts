import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Spec } from '../bundle/types.js';
import { compileCreate } from './compile.js';
import type { CompiledPlan, CompileOptions } from './options.js';
import { compileCgroup } from './phases/cgroup.js';
import { placeCgroup } from './phases/cgroup-placement.js';
import { standIn, testHost, testKeeping, testOptions } from './test-inputs.js';

/** Names of the sample bundles. */
export const bundles = readdirSync('bundles').filter((name) => existsSync(`bundles/${name}/config.json`));

/** A sample bundle's plan on a host of cgroup v2: what the golden files hold and the plan fuzzer damages. */
export function planOf(name: string): CompiledPlan {
  const spec = JSON.parse(readFileSync(`bundles/${name}/config.json`, 'utf8')) as Spec;
  const options: CompileOptions = {
    ...testOptions,
    id: name,
    bundle: `/bundles/${name}`,
    stateDir: `/run/tsrun/${name}`,
    cgroup: compileCgroup(spec, placeCgroup(spec.linux?.cgroupsPath, name, testHost, 'cgroupfs'), testHost),
    ...testKeeping,
    ...(spec.linux?.seccomp ? { seccomp: standIn(spec.linux.seccomp) } : {}),
  };
  return compileCreate(spec, testHost, options);
}
