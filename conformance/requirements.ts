// requirements.json: what the specification demands, and which cases prove it.
import { writeFileSync } from 'node:fs';
import { readJsonSync } from 'fs-extra/esm';
import type { Case } from './harness.js';

export interface Requirement {
  readonly id: string;
  readonly level: 'MUST' | 'SHOULD';
  readonly section: string;
  readonly text: string;
  /** Why no case can prove it. */
  readonly waived?: string;
  cases: string[];
}

const file = 'conformance/requirements.json';

export function readRequirements(): Requirement[] {
  return readJsonSync(file) as Requirement[];
}

function provenBy(cases: readonly Case[], id: string): string[] {
  return cases.filter((item) => item.proves.includes(id)).map((item) => item.id);
}

export function writeIndex(cases: readonly Case[]): void {
  const list = readRequirements();
  for (const item of list) item.cases = provenBy(cases, item.id);
  // One line a requirement: a change is a line of a diff.
  writeFileSync(file, `[\n${list.map((item) => JSON.stringify(item)).join(',\n')}\n]\n`);
  for (const problem of checkRequirements(cases)) console.log(problem);
  console.log(`${list.length} requirements, ${cases.length} cases`);
}

/** The gate: every MUST has a case or a written reason, and every name exists. */
export function checkRequirements(cases: readonly Case[]): string[] {
  const problems: string[] = [];
  const list = readRequirements();
  const known = new Set(list.map((item) => item.id));
  if (known.size !== list.length) problems.push('a requirement id occurs twice');
  const ids = new Set<string>();
  for (const item of cases) {
    if (ids.has(item.id)) problems.push(`case '${item.id}' occurs twice`);
    ids.add(item.id);
    for (const id of item.proves)
      if (!known.has(id)) problems.push(`case '${item.id}' proves '${id}', which is no requirement`);
  }
  for (const item of list) {
    for (const id of item.cases)
      if (!ids.has(id)) problems.push(`'${item.id}' names the case '${id}', which does not exist`);
    if (item.level === 'MUST' && item.cases.length === 0 && !item.waived)
      problems.push(`'${item.id}' is a MUST without a case`);
    if (item.waived && item.cases.length > 0) problems.push(`'${item.id}' is waived although cases prove it`);
    if (JSON.stringify(item.cases) !== JSON.stringify(provenBy(cases, item.id))) {
      problems.push(`'${item.id}': its list of cases is old: npm run conformance -- --index`);
    }
  }
  return problems;
}
