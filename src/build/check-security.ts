/** docs/security.md, "Row by row": each row's tests exist and carry its number, no row is missing, no advisory is only in a test. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const idPattern = /CVE-\d{4}-\d+|GHSA-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}|\b[SR]\d\d\b|\b(?:runc|youki)#\d+/g;
const rows = (letter: string, last: number, but: readonly number[] = []): string[] =>
  Array.from({ length: last }, (_, i) => i + 1)
    .filter((number) => !but.includes(number))
    .map((number) => `${letter}${String(number).padStart(2, '0')}`);
/** Numbers that were given once and taken back. */
const expected = [...rows('S', 56, [29, 41, 42, 55]), ...rows('R', 42)];

function* tests(directory: string): Generator<string> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) yield* tests(path);
    else if (name.endsWith('.test.ts')) yield path;
  }
}

const pathOf = (name: string): string => (name.startsWith('conformance/') ? name : `src/${name}`);

/** What is wrong with one line of a table. */
function problemsOf(line: string, seen: Set<string>): string[] {
  const cells = line.split('|').map((cell) => cell.trim());
  const ids = (cells[1] ?? '').match(idPattern) ?? [];
  for (const id of ids) seen.add(id);
  const files = [...(cells.at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => pathOf(name ?? ''));
  const missing = files.filter((file) => !existsSync(file)).map((file) => `${cells[1]}: there is no ${file}`);
  if (missing.length > 0) return missing;
  if (files.length === 0)
    return cells.some((cell) => cell.startsWith('—')) ? [] : [`${cells[1]}: no test, and no word why`];
  const texts = files.map((file) => readFileSync(file, 'utf8'));
  return ids.filter((id) => !texts.some((text) => text.includes(id))).map((id) => `${id}: not in ${files.join(', ')}`);
}

export function checkSecurity(text = readFileSync('docs/security.md', 'utf8')): string[] {
  const [, part = ''] = text.split(/^## Row by row$/m);
  const [table = ''] = part.split(/^## /m);
  const seen = new Set<string>();
  const problems = table
    .split('\n')
    .filter((line) => /^\| (?!attack|row|input)/.test(line))
    .flatMap((line) => problemsOf(line, seen));
  for (const id of expected) if (!seen.has(id)) problems.push(`${id} has no row`);
  for (const path of tests('src'))
    for (const id of readFileSync(path, 'utf8').match(/CVE-\d{4}-\d+|GHSA-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}/g) ?? [])
      if (!seen.has(id) && !path.endsWith('check-security.test.ts')) problems.push(`${id} of ${path} has no row`);
  return [...new Set(problems)];
}
