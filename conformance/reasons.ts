// reasons.json: why a case fails with another runtime. Every failure has one reason, and no reason outlives its failures.
import { existsSync, readdirSync } from 'node:fs';
import { readJsonSync } from 'fs-extra/esm';

export interface Results {
  runtime: string;
  version: string;
  cgroup: string;
  seconds: number;
  passed: number;
  failed: number;
  skipped: number;
  cases: Record<string, string>;
}

export interface Reason {
  readonly runtime: string;
  /** Who is right, and why: the sentence of the specification, or what is known of the runtime. */
  readonly cause: string;
  /** Some runs only: the reason stays while no failure of the last run needs it. */
  readonly race?: true;
  readonly cases: readonly string[];
}

const folder = 'conformance/results';
const order = ['tsrun', 'runc', 'crun'];

/** The results that are kept: the machine's first, ours first. */
export function readResults(): Results[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readJsonSync(`${folder}/${name}`) as Results)
    .map((result) => ({ ...result, runtime: result.runtime.replace(/-v2$/, '') }))
    .sort((a, b) => a.cgroup.localeCompare(b.cgroup) || order.indexOf(a.runtime) - order.indexOf(b.runtime));
}

export function readReasons(): Reason[] {
  return readJsonSync('conformance/reasons.json') as Reason[];
}

export const failed = (verdict: string | undefined): boolean => verdict?.startsWith('not ok') ?? false;

/** What the gate says: failures without a reason, reasons without a failure, and any failure of ours. */
export function checkReasons(results = readResults(), reasons = readReasons()): string[] {
  const problems: string[] = [];
  const explained = new Map<string, number>();
  const key = (runtime: string, id: string) => `${runtime} ${id}`;
  for (const { runtime, cases } of reasons)
    for (const id of cases) explained.set(key(runtime, id), (explained.get(key(runtime, id)) ?? 0) + 1);
  const failures = new Set<string>();
  const races = new Set(
    reasons.filter((one) => one.race).flatMap((one) => one.cases.map((id) => key(one.runtime, id))),
  );
  for (const { runtime, cgroup, cases } of results) {
    for (const [id, verdict] of Object.entries(cases)) {
      if (!failed(verdict)) continue;
      failures.add(key(runtime, id));
      if (runtime === 'tsrun') problems.push(`tsrun fails '${id}' on cgroup ${cgroup}: ${verdict.slice(8, 120)}`);
      else if (!explained.has(key(runtime, id)))
        problems.push(`no reason why ${runtime} fails '${id}' on cgroup ${cgroup}: ${verdict.slice(8, 120)}`);
    }
  }
  for (const [name, times] of explained) {
    if (times > 1) problems.push(`more than one reason for '${name}'`);
    if (!failures.has(name) && !races.has(name)) problems.push(`a reason for '${name}', which does not fail`);
  }
  return problems;
}
