// docs/conformance.md: the runtimes side by side, on the machine and in the VM, from the results of their last runs.
import { writeFileSync } from 'node:fs';
import { failed, type Reason, type Results, readReasons, readResults } from './reasons.js';

const introduction = `# Conformance

<!-- Written by npm run conformance. -->

A black-box suite for OCI runtimes: every case makes a bundle, runs the runtime's commands and looks at what happened. Each names the sentences
of runtime-spec 1.3 that it proves (conformance/requirements.json); \`npm run check\` fails for a MUST that no case proves.

\`\`\`
npm run conformance -- --runtime /usr/sbin/runc [--filter TEXT[,TEXT] [--merge]] [--jobs N]
conformance/vm/run.sh --timeout 5000 --save conformance/results/runc-v2.json -- npm run conformance -- --runtime /usr/sbin/runc [--filter … --merge]
npm run conformance -- --self-test
npm run conformance -- --self-test-keys
npm run conformance -- --report
\`\`\`

It needs root and busybox-static, prints TAP, and leaves nothing behind. \`v1\` is a machine with cgroup v1, \`v2\` the virtual machine of
[conformance/vm](../conformance/vm/run.sh): cgroup v2 only, AppArmor, every capability. The self-test runs it against runtimes that do nothing,
or refuse everything: no case may pass. The second one takes one key after the other out of the configuration before tsrun sees it, as a runtime
would that ignores the key: the cases about that key must notice.

The other runtimes are those of Debian 12, older than tsrun: some of their failures are fixed in later releases. Cases without a requirement test
the command line that engines rely on, not the specification. Every failure has its reason in conformance/reasons.json; the gate complains of one
that has none. A helper that does not answer in time is a failure, not a skip. Where tsrun differs on purpose: [differences](../conformance/differences.md). Every key and rule and
what proves it: [spec-features](../conformance/spec-features.md).
`;

const inTable = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function counts(result: Results, topic: string): string {
  const verdicts = Object.entries(result.cases)
    .filter(([id]) => id.startsWith(`${topic}/`))
    .map(([, verdict]) => verdict);
  if (verdicts.length === 0) return 'not run';
  const good = verdicts.filter((verdict) => verdict === 'ok').length;
  return `${good} of ${verdicts.filter((verdict) => !verdict.startsWith('skip')).length}`;
}

function summary(results: readonly Results[]): string[] {
  const topics = [...new Set(results.flatMap((one) => Object.keys(one.cases).map((id) => id.split('/')[0]!)))];
  return [
    '## Summary',
    '',
    '| runtime | cgroup | passed | failed | skipped | seconds |',
    '|---|---|---|---|---|---|',
    ...results.map(
      (one) =>
        `| ${one.version} | ${one.cgroup} | ${one.passed} | ${one.failed} | ${one.skipped} | ${one.seconds || ''} |`,
    ),
    '',
    'A row with fewer cases than the others comes from filtered runs. Changed and new cases were run again after a whole run (`--merge`).',
    '',
    '## By topic',
    '',
    `| topic | ${results.map((one) => `${one.runtime} ${one.cgroup}`).join(' | ')} |`,
    `|---|${results.map(() => '---|').join('')}`,
    ...topics.map((topic) => `| ${topic} | ${results.map((one) => counts(one, topic)).join(' | ')} |`),
  ];
}

function skips(results: readonly Results[]): string[] {
  const lines = ['', '## What is skipped', '', '| case | where | why |', '|---|---|---|'];
  const where = new Map<string, string[]>();
  for (const { runtime, cgroup, cases } of results)
    for (const [id, verdict] of Object.entries(cases)) {
      if (!verdict.startsWith('skip') || /cgroup v[12] only/.test(verdict)) continue;
      const row = `${id} | ${inTable(verdict.slice(6, 160))}`;
      where.set(row, [...(where.get(row) ?? []), `${runtime} ${cgroup}`]);
    }
  for (const [row, places] of where) lines.push(`| ${row.replace(' | ', ` | ${places.join(', ')} | `)} |`);
  return [...lines, '', 'Cases of one cgroup version are skipped on the other.'];
}

function failures(runtime: string, results: readonly Results[], reasons: readonly Reason[]): string[] {
  const own = results.filter((one) => one.runtime === runtime);
  const lines = ['', `## What fails with ${runtime}`];
  const row = (id: string) =>
    `| ${id} | ${own.map((one) => (failed(one.cases[id]) ? inTable(one.cases[id]!.slice(8, 140)) : (one.cases[id] ?? '').slice(0, 4))).join(' | ')} |`;
  const table = (ids: readonly string[]) => [
    `| case | ${own.map((one) => one.cgroup).join(' | ')} |`,
    `|---|${own.map(() => '---|').join('')}`,
    ...ids.map(row),
  ];
  const open = new Set(own.flatMap((one) => Object.keys(one.cases).filter((id) => failed(one.cases[id]))));
  if (open.size === 0) return [...lines, '', 'Nothing.'];
  for (const reason of reasons.filter((one) => one.runtime === runtime)) {
    const ids = reason.cases.filter((id) => open.delete(id));
    if (ids.length > 0) lines.push('', `**${reason.cause}**`, '', ...table(ids));
  }
  if (open.size > 0) lines.push('', '**No reason known yet.**', '', ...table([...open]));
  return lines;
}

export function writeReport(): void {
  const results = readResults();
  const reasons = readReasons();
  const runtimes = [...new Set(results.map((one) => one.runtime))];
  const lines = [
    introduction,
    ...summary(results),
    ...runtimes.flatMap((runtime) => failures(runtime, results, reasons)),
    ...skips(results),
  ];
  writeFileSync('docs/conformance.md', `${lines.join('\n')}\n`);
}
