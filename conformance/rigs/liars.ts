// T-LIAR: what runs inside a container before its program does is not believed (security.md S39), and its death is noticed
// even while somebody holds its end of the socket (R07). The executor is built with an inside that lies; the host's side of
// it is as it is, and must end the command in words, in time, with nothing left.
import { spawn, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { removeSync } from 'fs-extra/esm';
import { executorPath } from '../../src/host/executor.js';
import { type Bundle, makeBundle, tsrun } from './bundle.js';
import { leftSince, look, sleep } from './host.js';
import { buildMutant, type Edit, mutantFolder } from './mutant-build.js';
import { finish, report } from './report.js';

interface Lie {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Whether the container joins a namespace, so that a joiner makes its first process. */
  readonly joins?: true;
  /** Without a pid namespace others outlive the first process. */
  readonly withoutPids?: true;
  /** What the one line of the error says. */
  readonly says: RegExp;
}

/** A joiner's child that is nobody's child: stands for the pid of a bystander. */
const BYSTANDER = 'BYSTANDER_PID';
const childMain = 'if (run_plan(step) < 0) {\n    G.failure.kind = KIND_FAIL;';
const says = (before: string, after = ''): Edit => [
  'walk/run.c',
  childMain,
  `${before}\n  {\n    G.failure.kind = KIND_FAIL;${after}`,
];
const rest = 'for (;;) RAW(ppoll, 0, 0, 0, 0, 0);';
const newborn = (value: string): Edit => [
  'ops/child.c',
  '.step = G.step, .value = (int)pid};',
  `.step = G.step, .value = ${value}};`,
];
const refused = /EBADMSG/;
const died = /ended|died|killed|exit/;

export const lies: readonly Lie[] = [
  {
    name: 'S39: a joiner names a process that is not its child',
    edits: [newborn(BYSTANDER)],
    joins: true,
    says: refused,
  },
  { name: 'S39: a joiner names process 1', edits: [newborn('1')], joins: true, says: refused },
  {
    name: 'S39: a failure at a step that is not there',
    edits: [says('fail_with(step, 5, 0);', 'G.failure.step = 0xfffffff0u;')],
    says: /EIO/,
  },
  {
    name: 'S39: a failure with an errno that is none',
    edits: [says('fail_with(step, 5, 0);', 'G.failure.error = 0x7fffffffu;')],
    says: /./,
  },
  {
    name: 'S39: a failure in a call that is not there',
    edits: [says('fail_with(step, 5, 0);', 'G.failure.where = 0x7fffffffu;')],
    says: /EIO/,
  },
  {
    name: 'S39: a text longer than its record',
    edits: [says('fail_with(step, 5, 0);', 'G.failure.text_length = 0xffffu;')],
    says: refused,
  },
  {
    name: 'S39: a record of another size, and silence',
    edits: [says(`G.failure.kind = KIND_DONE; RAW(write, G.socket, &G.failure, 16); ${rest}`)],
    says: refused,
  },
  {
    name: 'S39: a record of a megabyte, and silence',
    edits: [
      says(
        `static char much[1 << 20]; int big = 4 << 20; RAW(setsockopt, G.socket, 1, 32, &big, 4); RAW(write, G.socket, much, sizeof much); ${rest}`,
      ),
    ],
    says: refused,
  },
  {
    name: 'S39: a record of a kind that is not there, and silence',
    edits: [says(`G.failure.kind = 77; RAW(write, G.socket, &G.failure, sizeof G.failure); ${rest}`)],
    says: refused,
  },
  {
    name: 'S39: the first process names another first process',
    edits: [
      says(
        `G.failure.kind = KIND_CHILD; G.failure.value = ${BYSTANDER}; RAW(write, G.socket, &G.failure, sizeof G.failure); ${rest}`,
      ),
    ],
    says: refused,
  },
  {
    name: 'R07: it dies while somebody holds its socket',
    edits: [says(`if (fork_with(0, -1, 0) == 0) ${rest} RAW(exit_group, 7);`)],
    withoutPids: true,
    says: died,
  },
];

/** Runs the command with the lying executor; answers what is wrong with its end. */
function hear(program: string, bundle: Bundle, { says }: Lie): string[] {
  const args = ['--root', bundle.root, 'run', '--bundle', bundle.directory, 'liar'];
  const { status, signal, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 10_000,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines = stderr.trimEnd().split('\n');
  if (status !== 1) return [`ends with ${status ?? signal}: ${stderr}`];
  return lines.length === 1 && says.test(stderr) ? [] : [`says: ${stderr}`];
}

function oneLie(folder: string, lie: Lie): string[] {
  // Longer than it takes to make the liar, on however busy a machine.
  const bystander = spawn('unshare', ['--uts', 'sleep', '600'], { stdio: 'ignore' });
  const its = `/proc/${bystander.pid}/ns/uts`;
  while (readlinkSync(its) === readlinkSync('/proc/self/ns/uts')) sleep(5);
  const namespaces = [
    { type: 'mount' },
    { type: 'uts', ...(lie.joins && { path: its }) },
    ...(lie.withoutPids ? [] : [{ type: 'pid' }]),
  ];
  const bundle = makeBundle('true', { linux: { namespaces } });
  try {
    const edits = lie.edits.map(([file, from, to]): Edit => [file, from, to.replace(BYSTANDER, String(bystander.pid))]);
    const program = buildMutant(folder, edits);
    if (program === undefined) return ['the liar does not compile'];
    const honest = hear(executorPath(), bundle, lie);
    if (honest[0]?.startsWith('ends with 0') !== true) return [`the honest executor ${honest.join()}`];
    const before = look(bundle.root);
    const problems = hear(program, bundle, lie);
    return [...problems, ...leftSince(before, bundle.root).map((item) => `left: ${item}`)];
  } finally {
    tsrun(bundle, 'delete', '--force', 'liar'); // a lie that was believed is not the next one's trouble
    if (bystander.exitCode === null && bystander.signalCode === null) bystander.kill();
    removeSync(bundle.directory);
  }
}

export function liarRig(): void {
  const began = Date.now();
  const folder = mutantFolder();
  for (const lie of lies) report(lie.name, oneLie(folder, lie));
  removeSync(folder);
  finish('T-LIAR', began, lies.length);
}
