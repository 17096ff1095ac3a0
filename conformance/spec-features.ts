// spec-features.md: every row has a proof, and every proof exists.
import { existsSync, readFileSync } from 'node:fs';
import type { Case } from './harness.js';

const file = 'conformance/spec-features.md';

/** `a/*-b`, `v?`: of case ids. */
const patternOf = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );

/** A test of ours: `src/x.test.ts: title`. Titles in a source have their quotes escaped. */
function faultOfTest(path: string, title: string): string | undefined {
  if (!existsSync(path)) return `there is no ${path}`;
  const text = readFileSync(path, 'utf8').replaceAll("\\'", "'");
  return text.includes(title) ? undefined : `${path} has no test '${title}'`;
}

function faultOf(proof: string, ids: readonly string[]): string | undefined {
  const test = /^(\S+\.test\.ts): (.+)$/.exec(proof);
  if (test) return faultOfTest(test[1]!, test[2]!);
  const pattern = patternOf(proof);
  return ids.some((id) => pattern.test(id)) ? undefined : `no case is called '${proof}'`;
}

/** The gate: a row is Y or says why not, and names what shows it. */
export function checkSpecFeatures(cases: readonly Case[]): string[] {
  const ids = cases.map(({ id }) => id);
  const problems: string[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, field, verdict, proof = ''] = /^\| (.+?) \| (.+?) \| (.+) \|$/.exec(line) ?? [];
    if (field === undefined || verdict === 'tsrun' || verdict?.startsWith('-')) continue;
    if (verdict !== 'Y' && verdict !== 'differs') problems.push(`${field}: is neither Y nor explained`);
    const proofs = [...proof.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
    if (proofs.length === 0) problems.push(`${field}: nothing proves it`);
    for (const one of proofs) {
      const fault = faultOf(one, ids);
      if (fault !== undefined) problems.push(`${field}: ${fault}`);
    }
  }
  return problems;
}
