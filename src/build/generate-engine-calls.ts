import { readJsonSync } from 'fs-extra/esm';
import { type GeneratedFile, header } from './generated-file.js';

const source = 'src/engine/calls.json';

/** The system calls of the small engine's door: the table that its host has, and the positions that TypeScript asks for. */
export function generateEngineCalls(): GeneratedFile[] {
  const { calls } = readJsonSync(source) as { calls: Record<string, string> };
  const rows = Object.entries(calls);
  for (const [name, kinds] of rows)
    if (!/^[nsa]{0,6}$/.test(kinds)) throw new Error(`${source}: '${kinds}' of ${name} is not n, s or a, six at most`);
  const banner = header('generate-engine-calls.ts', source);
  const c = [
    `/* ${banner.slice(3).trimEnd()} */`,
    'static const struct engine_call { short number; char kinds[7]; } engine_calls[] = {',
    ...rows.map(([name, kinds]) => `  {__NR_${name}, "${kinds}"},`),
    '};',
    '',
  ];
  const typescript = [
    `${banner}export const calls = {`,
    ...rows.map(([name], position) => `  ${name}: ${position},`),
    '} as const;',
    '',
  ];
  return [
    { path: 'src/generated/engine-calls.h', text: c.join('\n') },
    { path: 'src/generated/engine-calls.ts', text: typescript.join('\n') },
  ];
}
