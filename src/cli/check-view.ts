/** What `tsrun check` found, for a person to read. */
import { sanitise } from '../errors/render.js';
import type { BundleFinding, BundleReport, FindingKind, HostFact, HostReport } from '../operations/check/report.js';
import { clipTo, columnsOf, foldTo, type Look, padTo, type Tone } from './terminal.js';

const states: Readonly<Record<HostFact['state'], readonly [text: string, tone: Tone]>> = {
  yes: ['yes', 'good'],
  no: ['no', 'bad'],
  partly: ['partly', 'odd'],
  unknown: ['?', 'faint'],
};

/** Text behind a head; where it does not fit its further lines stand below its first. */
function behind(head: string, indent: number, text: string, { width }: Look): string[] {
  const room = width === undefined ? undefined : Math.max(24, width - indent);
  return foldTo(text, room).map((line, index) => `${index === 0 ? head : ' '.repeat(indent)}${line}`.trimEnd());
}

function factLines({ name, state, value, means }: HostFact, nameWidth: number, look: Look): string[] {
  const [word, tone] = states[state];
  const head = `  ${padTo(clipTo(sanitise(name), nameWidth), nameWidth)}  ${look.paint(word, tone)}${' '.repeat(8 - word.length)}`;
  const text = value === undefined ? means : `${sanitise(value)}: ${means}`;
  return behind(head, nameWidth + 12, sanitise(text), look);
}

export function renderHostReport({ host }: HostReport, look: Look): string {
  const widest = Math.max(...host.flatMap(({ facts }) => facts.map(({ name }) => columnsOf(name))));
  const nameWidth = Math.min(widest, look.width === undefined ? 40 : Math.max(16, Math.floor(look.width / 3)));
  return host
    .map(
      ({ title, facts }) =>
        `${look.paint(title, 'strong')}\n${facts.flatMap((fact) => factLines(fact, nameWidth, look)).join('\n')}\n`,
    )
    .join('\n');
}

const titles: Readonly<Record<FindingKind, readonly [title: string, tone: Tone]>> = {
  error: ['The config is refused', 'bad'],
  missing: ['What this host lacks', 'bad'],
  warning: ['Warnings', 'odd'],
  risk: ['What it gives away', 'odd'],
};

function findingLines({ pointer, message, why }: BundleFinding, look: Look): string[] {
  const head = `  ${look.paint(sanitise(pointer || '(the whole)'), 'key')}`;
  return [head, ...behind('    ', 4, sanitise(`${message}: ${why}`), look)];
}

export function renderBundleReport({ bundle, verdict, findings }: BundleReport, look: Look): string {
  const verdicts: Readonly<Record<BundleReport['verdict'], string>> = {
    starts: look.paint('starts here; nothing found', 'good'),
    findings: look.paint('starts here, with findings', 'odd'),
    fails: look.paint('does not start here', 'bad'),
  };
  const parts = (Object.keys(titles) as FindingKind[]).flatMap((kind) => {
    const some = findings.filter((finding) => finding.kind === kind);
    if (some.length === 0) return [];
    const [title, tone] = titles[kind];
    return [`${look.paint(title, tone)}\n${some.flatMap((finding) => findingLines(finding, look)).join('\n')}\n`];
  });
  return [`${sanitise(bundle)}: ${verdicts[verdict]}\n`, ...parts].join('\n');
}
