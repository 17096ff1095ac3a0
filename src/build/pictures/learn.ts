/** The pictures of docs/learn.md. */
import { type Line, Picture } from './svg.js';

const host = { fill: '#fdf4e7', stroke: '#c79246' };
const inside = { fill: '#eaf6ec', stroke: '#4f9a5d' };
const bad = '#b3372d';
const hidden = '#9aa3ad';

interface Node {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly kind: 'host' | 'inside' | 'gone';
}

/** A tree of directories: a box each, lines from the one above. */
function tree(picture: Picture, nodes: readonly Node[], edges: readonly (readonly [number, number])[]): void {
  for (const [from, to] of edges) {
    const [a, b] = [nodes[from]!, nodes[to]!];
    const gone = a.kind === 'gone' || b.kind === 'gone';
    const points = [
      [a.x + 55, a.y + 28],
      [b.x + 55, b.y],
    ] as const;
    picture.arrow(points, { tip: false, dash: gone, colour: gone ? hidden : '#44546a' });
  }
  for (const { text, x, y, kind } of nodes) {
    const line: Line = { text, mono: true, ...(kind === 'gone' ? { colour: hidden } : {}) };
    const style = kind === 'gone' ? { stroke: hidden, dash: true } : kind === 'host' ? host : inside;
    picture.box({ x, y, w: 110, h: 28 }, [line], style);
  }
}

export function rootPicture(): string {
  const picture = new Picture(
    960,
    400,
    'chroot and pivot_root',
    "On the left, after a chroot, the host's tree is still mounted above the container's root, and a process whose working directory is outside of its root reaches it. On the right, after pivot_root, the container's root is the root of the tree and the host's is not mounted.",
  );
  const draw = (dx: number, above: 'host' | 'gone'): void => {
    const nodes: Node[] = [
      { text: '/', x: dx + 170, y: 90, kind: above },
      { text: 'etc', x: dx + 20, y: 160, kind: above },
      { text: 'home', x: dx + 160, y: 160, kind: above },
      { text: 'rootfs', x: dx + 310, y: 160, kind: 'inside' },
      { text: 'bin', x: dx + 180, y: 250, kind: 'inside' },
      { text: 'usr', x: dx + 310, y: 250, kind: 'inside' },
    ];
    const edges = [
      [0, 1],
      [0, 2],
      [0, 3],
      [3, 4],
      [3, 5],
    ] as const;
    tree(picture, nodes, edges);
  };
  picture.ground({ x: 10, y: 10, w: 460, h: 380 }, '#f6f7f9');
  picture.ground({ x: 490, y: 10, w: 460, h: 380 }, '#f6f7f9');
  picture.label({ x: 20, y: 16, w: 440, h: 24 }, [{ text: 'chroot: another beginning', bold: true, size: 15 }]);
  picture.label({ x: 500, y: 16, w: 440, h: 24 }, [{ text: 'pivot_root: another tree', bold: true, size: 15 }]);
  picture.label({ x: 20, y: 44, w: 440, h: 22 }, [{ text: "the host's tree is mounted as before", soft: true }]);
  picture.label({ x: 500, y: 44, w: 440, h: 22 }, [{ text: "the host's tree is not mounted any more", soft: true }]);
  draw(10, 'host');
  draw(490, 'gone');
  const down = (x: number): void =>
    picture.arrow(
      [
        [x, 112],
        [x, 156],
      ],
      { colour: '#4f9a5d' },
    );
  down(430);
  down(910);
  picture.label({ x: 295, y: 84, w: 165, h: 22 }, [{ text: "the process's /", colour: '#2f6b3b' }]);
  picture.label({ x: 775, y: 84, w: 165, h: 22 }, [{ text: "the process's /", colour: '#2f6b3b' }]);
  // Who has a working directory beside the root walks up past it.
  picture.arrow(
    [
      [85, 312],
      [85, 192],
    ],
    { colour: bad },
  );
  picture.arrow(
    [
      [95, 160],
      [176, 112],
    ],
    { colour: bad },
  );
  picture.label({ x: 20, y: 308, w: 440, h: 76 }, [
    { text: 'a process whose working directory is out here', colour: bad },
    { text: 'does not meet its root on the way up:', colour: bad },
    { text: "cd ../../.. ends in the host's /", colour: bad },
  ]);
  picture.label({ x: 500, y: 308, w: 440, h: 76 }, [
    'there is no directory outside of the root',
    'that a process could be in:',
    'cd ../../.. ends in the root, as cd / does',
  ]);
  return picture.toString();
}

export function cablePicture(): string {
  const picture = new Picture(
    960,
    300,
    'Two network namespaces joined by a veth pair',
    "Two containers, left and right, each with a network namespace of its own that has lo and eth0. Their eth0 are the two ends of a veth pair. The host's namespace with its own interfaces is beside them and not part of it.",
  );
  const side = (x: number, name: string, address: string): void => {
    picture.ground({ x, y: 20, w: 300, h: 170 }, inside.fill);
    picture.label({ x: x + 5, y: 26, w: 290, h: 24 }, [{ text: `container '${name}'`, bold: true, size: 15 }]);
    picture.label({ x: x + 5, y: 50, w: 290, h: 22 }, [{ text: 'its own network namespace', soft: true }]);
    picture.box({ x: x + 20, y: 84, w: 260, h: 36 }, [{ text: 'lo   127.0.0.1', mono: true }], inside);
    picture.box({ x: x + 20, y: 136, w: 260, h: 36 }, [{ text: `eth0 ${address}`, mono: true }], inside);
  };
  side(20, 'left', '10.99.7.1/24');
  side(640, 'right', '10.99.7.2/24');
  picture.arrow(
    [
      [300, 154],
      [660, 154],
    ],
    { tip: false, wide: 4, colour: '#0b7285' },
  );
  picture.label({ x: 335, y: 84, w: 290, h: 58 }, [
    { text: 'a veth pair', bold: true },
    { text: 'what goes in at one end', soft: true },
    { text: 'comes out at the other', soft: true },
  ]);
  picture.ground({ x: 20, y: 210, w: 920, h: 80 }, host.fill);
  picture.box({ x: 40, y: 232, w: 260, h: 36 }, [{ text: 'lo, eth0 of the host', mono: true }], host);
  picture.label(
    { x: 310, y: 218, w: 620, h: 64 },
    [
      "the host's network namespace: the hook runs here; it makes the pair",
      'and moves each end into a container, with ip link set END netns PID',
    ],
    'start',
  );
  return picture.toString();
}
