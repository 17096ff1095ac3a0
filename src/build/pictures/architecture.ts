/** docs/architecture.svg: what is in the file, who does what when, and a few steps of a real plan. */
import { bundles, planOf } from '../../plan/test-bundles.js';
import { type Line, Picture } from './svg.js';

const fore = { executor: '#c79246', engine: '#4c7fb8', container: '#4f9a5d' } as const;
const ground = { executor: '#fdf4e7', engine: '#eaf2fb', container: '#eaf6ec' } as const;
const bad = '#b3372d';
const quiet = (text: string): Line => ({ text, soft: true });
const small = (text: string): Line => ({ text, soft: true, size: 12 });
const columns = { executor: 20, engine: 370, container: 720 } as const;
const width = 320;
const inner = width - 30;
type Lane = keyof typeof columns;

function contents(picture: Picture): void {
  picture.ground({ x: 20, y: 16, w: 1020, h: 128 }, '#f4f5f7');
  const title = { text: 'dist/tsrun: one static file, and what is in it', bold: true, size: 15 };
  picture.label({ x: 20, y: 20, w: 1020, h: 26 }, [title], 'start');
  const part = (x: number, w: number, stroke: string, lines: readonly Line[]): void =>
    picture.box({ x, y: 50, w, h: 84 }, lines, { stroke });
  part(32, 235, fore.executor, [
    { text: 'launcher', bold: true },
    quiet('what the caller starts;'),
    quiet('carries out kept plans'),
  ]);
  part(277, 255, fore.engine, [
    { text: 'engine and memory', bold: true },
    quiet('QuickJS, and its heap when'),
    quiet('all TypeScript was evaluated'),
  ]);
  part(542, 245, fore.executor, [
    { text: 'executor', bold: true },
    quiet('C without policy; runs'),
    quiet('from a sealed copy in memory'),
  ]);
  part(797, 231, '#8a95a3', [
    { text: 'bridge', bold: true },
    quiet('calls libseccomp and'),
    quiet('libsystemd of the host'),
  ]);
}

function lanes(picture: Picture): void {
  const lane = (name: Lane, title: string, text: string): void => {
    const x = columns[name];
    picture.ground({ x, y: 160, w: width, h: 856 }, ground[name]);
    picture.label({ x, y: 166, w: width, h: 26 }, [{ text: title, bold: true, size: 15 }]);
    picture.label({ x, y: 192, w: width, h: 22 }, [quiet(text)]);
  };
  lane('executor', 'tsrun', "in the host's namespaces");
  lane('engine', 'engine', 'a fork of it, for some milliseconds');
  lane('container', "container's first process", 'a clone of it, then the program');
}

const at = (picture: Picture, lane: Lane, y: number, lines: readonly Line[], more: object = {}): void =>
  picture.box({ x: columns[lane] + 15, y, w: inner, h: lines.length * 18 + 20 }, lines, {
    stroke: fore[lane],
    ...more,
  });

function create(picture: Picture): void {
  picture.label({ x: 20, y: 216, w: 300, h: 22 }, [{ text: 'tsrun create, run', bold: true }], 'start');
  at(picture, 'executor', 242, [
    'starts the engine with a clean',
    'environment; becomes the executor,',
    'in a sealed memfd',
  ]);
  at(picture, 'engine', 242, ['maps its memory: nothing is', 'parsed or loaded']);
  at(picture, 'engine', 322, ['reads config.json and facts', 'about the host; validates']);
  at(picture, 'engine', 402, [{ text: 'compiles the plan', bold: true }, quiet('a pure function of the two')]);
  at(picture, 'engine', 482, ['encodes it, writes a first record,', 'says “go” and ends']);
  at(picture, 'executor', 482, ['takes the whole plan or none;', 'makes the cgroup with its limits']);
  at(picture, 'container', 530, ['is born in its namespaces', 'and in its cgroup']);
  at(picture, 'executor', 622, ['writes id maps, runs hooks,', 'opens what is to be bound']);
  at(picture, 'container', 622, ['mounts, devices, pivot_root,', 'masks, ids, capabilities']);
  at(picture, 'executor', 702, ['saves the state, and the plans', 'of start and delete', quiet('create returns')]);
  at(picture, 'container', 702, ['finds the program, closes', 'the rest, waits in exec.fifo']);
  at(
    picture,
    'engine',
    702,
    [
      { text: 'if a step failed: started again', colour: bad },
      { text: 'to explain it and roll back', colour: bad },
      small('and for --trace, to write the file'),
    ],
    { stroke: bad, dash: true },
  );
  const [e, c] = [columns.executor + width - 15, columns.container + 15];
  picture.arrow([
    [e, 266],
    [columns.engine + 15, 266],
  ]);
  for (const y of [298, 378, 458])
    picture.arrow([
      [530, y],
      [530, y + 24],
    ]);
  picture.arrow([
    [columns.engine + 15, 510],
    [e, 510],
  ]);
  picture.arrow([
    [180, 538],
    [180, 562],
    [c, 562],
  ]);
  picture.label({ x: 370, y: 572, w: 320, h: 40 }, [
    small('wherever the role changes in the list,'),
    small('one process waits, the other goes on'),
  ]);
  picture.arrow([
    [c, 640],
    [e, 640],
  ]);
  picture.arrow([
    [e, 658],
    [c, 658],
  ]);
  picture.arrow(
    [
      [e, 740],
      [columns.engine + 15, 740],
    ],
    { colour: bad, dash: true },
  );
}

function start(picture: Picture): void {
  picture.arrow(
    [
      [20, 794],
      [1040, 794],
    ],
    { tip: false, dash: true, colour: '#8a95a3' },
  );
  picture.label({ x: 20, y: 800, w: 300, h: 22 }, [{ text: 'tsrun start', bold: true }], 'start');
  at(picture, 'executor', 826, [
    'finds the kept plan: no engine;',
    'one byte into exec.fifo',
    quiet('returns when the program runs'),
  ]);
  at(picture, 'engine', 826, ['not needed: so are delete, and', 'an exec with the same words']);
  at(picture, 'container', 826, ['loads the filter, execve', quiet('that closes reply.fifo: it runs')]);
  const [e, c] = [columns.executor + width - 15, columns.container + 15];
  picture.arrow([
    [e, 892],
    [c, 892],
    [c + 20, 892],
    [c + 20, 884],
  ]);
  picture.label({ x: 360, y: 894, w: 340, h: 20 }, [small('exec.fifo, and reply.fifo back')]);
  picture.arrow(
    [
      [20, 922],
      [1040, 922],
    ],
    { tip: false, dash: true, colour: '#8a95a3' },
  );
  picture.label({ x: 20, y: 928, w: 340, h: 22 }, [{ text: 'tsrun plan, check, state, list …', bold: true }], 'start');
  picture.box(
    { x: columns.engine + 15, y: 946, w: inner, h: 56 },
    ['the same engine answers, and', 'nothing is carried out'],
    { stroke: fore.engine },
  );
  at(picture, 'executor', 952, ['becomes the engine itself'], {});
  picture.arrow([
    [e, 972],
    [columns.engine + 15, 972],
  ]);
}

/** One step of each kind, as the compiler makes them today. */
function excerpt(picture: Picture): void {
  if (!bundles.includes('memory-limit')) throw new Error('no bundle memory-limit');
  const wanted = ['/linux/resources/memory/limit', '/linux/namespaces', '/mounts/0', '/root', '/process/args'];
  const { steps } = planOf('memory-limit');
  picture.ground({ x: 20, y: 1032, w: 1020, h: 156 }, '#f4f5f7');
  picture.label(
    { x: 20, y: 1036, w: 1020, h: 26 },
    [
      {
        text: 'A plan, in excerpt: one list; each step with its role, what it does, and the key that caused it',
        bold: true,
      },
    ],
    'start',
  );
  wanted.forEach((pointer, index) => {
    const step = steps.find((one) => one.pointer === pointer);
    if (step === undefined) throw new Error(`no step of ${pointer}`);
    const y = 1066 + index * 23;
    const role = step.role === 'host' ? '#f6d9a8' : '#bfe3c5';
    picture.box({ x: 32, y, w: 60, h: 20 }, [{ text: step.role, mono: true, size: 12 }], { fill: role, stroke: role });
    picture.label({ x: 100, y, w: 640, h: 20 }, [{ text: step.summary, mono: true, size: 12 }], 'start');
    picture.label({ x: 740, y, w: 290, h: 20 }, [{ text: pointer, mono: true, size: 12, soft: true }], 'start');
  });
}

export function architecturePicture(): string {
  const picture = new Picture(
    1060,
    1202,
    'How tsrun creates and starts a container',
    'Three lanes, time running downwards. tsrun forks the engine (TypeScript), which compiles config.json into a plan and ends, and itself becomes the executor (C). The executor carries the plan out together with the container’s first process, which then waits for start; start needs no engine, for its plan was kept.',
  );
  contents(picture);
  lanes(picture);
  create(picture);
  start(picture);
  excerpt(picture);
  return picture.toString();
}
