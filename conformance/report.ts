// docs/conformance.md: the runtimes side by side, from the results of their last whole runs.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

interface Results {
  runtime: string;
  version: string;
  cgroup: string;
  seconds: number;
  passed: number;
  failed: number;
  skipped: number;
  cases: Record<string, string>;
}

const introduction = `# Conformance

<!-- Written by npm run conformance. -->

A black-box suite for OCI runtimes: every case makes a bundle, runs the runtime's commands and looks at what happened. Each names the sentences
of runtime-spec 1.3 that it proves (conformance/requirements.json); \`npm run check\` fails for a MUST that no case proves.

\`\`\`
npm run conformance -- --runtime /usr/sbin/runc [--filter TEXT] [--jobs N]
\`\`\`

It needs root and busybox-static, prints TAP, and leaves nothing behind. The runtimes here are those of Debian 12, older than tsrun: some of
their failures are fixed in later releases. Cases without a requirement test the command line that engines rely on, not the specification.
Debian's crun knows configurations up to 1.0 only (\`unknown version specified\`) and has no \`features\`; Debian's runc knows no
scheduler, I/O priority, personality, memory policy, network devices or time offsets and ignores them as it would any unknown property.
Where tsrun differs on purpose: [differences](../conformance/differences.md).
`;

const inTable = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function counts(result: Results, topic: string): string {
  const verdicts = Object.entries(result.cases)
    .filter(([id]) => id.startsWith(`${topic}/`))
    .map(([, verdict]) => verdict);
  const good = verdicts.filter((verdict) => verdict === 'ok').length;
  return `${good} of ${verdicts.filter((verdict) => !verdict.startsWith('skip')).length}`;
}

export function writeReport(): void {
  const folder = 'conformance/results';
  if (!existsSync(folder)) return;
  const order = (name: string) => (name.startsWith('tsrun') ? 0 : name.startsWith('runc') ? 1 : 2);
  const results = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as Results)
    .sort((a, b) => a.cgroup.localeCompare(b.cgroup) || order(a.runtime) - order(b.runtime));
  const lines = [
    introduction,
    '## Summary',
    '',
    '| runtime | cgroup | passed | failed | skipped |',
    '|---|---|---|---|---|',
  ];
  for (const one of results)
    lines.push(`| ${one.version} | ${one.cgroup} | ${one.passed} | ${one.failed} | ${one.skipped} |`);
  const topics = [...new Set(results.flatMap((one) => Object.keys(one.cases).map((id) => id.split('/')[0]!)))];
  lines.push(
    '',
    '## By topic',
    '',
    `| topic | ${results.map((one) => one.runtime).join(' | ')} |`,
    `|---|${results.map(() => '---|').join('')}`,
  );
  for (const topic of topics) lines.push(`| ${topic} | ${results.map((one) => counts(one, topic)).join(' | ')} |`);
  for (const one of results) {
    const failures = Object.entries(one.cases).filter(([, verdict]) => verdict.startsWith('not ok'));
    lines.push('', `## What fails with ${one.runtime}`, '');
    if (failures.length === 0) lines.push('Nothing.');
    else lines.push('| case | observation |', '|---|---|');
    for (const [id, verdict] of failures) lines.push(`| ${id} | ${inTable(verdict.slice(8, 240))} |`);
  }
  writeFileSync('docs/conformance.md', `${lines.join('\n')}\n`);
}
