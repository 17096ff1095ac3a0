/** What src/host promises, asked and answered as text: under Node and in the small engine it must be the same (small/small.test.ts). */
import { decodeLossless, encodeLossless } from '../tables/lossless-text.js';
import { openLibrary } from './ffi.js';
import * as files from './files.js';
import { sha256 } from './hash.js';
import { findObject, isPlain } from './json.js';
import { areOwnDirectories, areThere, firstLines, haveReaders, most, reader, startTimesOf } from './many.js';
import * as host from './process.js';
import { runProgram } from './program.js';
import { startTimeOf } from './start-time.js';
import { openCounter, openProcess, waitForAny } from './wait.js';

const error = (act: () => unknown): string => {
  try {
    return JSON.stringify(act()) ?? 'nothing';
  } catch (thrown) {
    return `thrown: ${files.errnoOf(thrown) || String(thrown)}`;
  }
};
const bytesOf = (text: string): string => [...encodeLossless(text)].join(' ');

/** Strings around every border of UTF-8, with NUL, half surrogates and U+0001. */
const texts = [
  '',
  'a',
  'é',
  '漢',
  '😀',
  'a\0b',
  '\x01',
  '\0\x01',
  '\ud800',
  'x\udfffy',
  '\udc80',
  '\u07ff\u0800\uffff',
  `${'ab'.repeat(40000)}é`,
];
const broken = [
  [0xff],
  [0xc3, 0x28],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x9f, 0x98],
  [0xf4, 0x90, 0x80, 0x80],
  [0x61, 0xc0, 0x80, 0x62],
  [0xef, 0xbb, 0xbf, 0x61],
];

function textProbes(): string[] {
  const short = (value: unknown): string => sha256(String(value)).slice(0, 12);
  const decode = (bytes: number[], fatal: boolean, ignoreBOM: boolean): string =>
    error(() => new TextDecoder('utf-8', { fatal, ignoreBOM }).decode(Uint8Array.from(bytes)));
  return [
    ...texts.map((text) => `encode ${short(new TextEncoder().encode(text).join())}`),
    ...texts.map((text) => `lossless ${short(bytesOf(text))}`),
    ...texts.map((text) => {
      const into = new Uint8Array(text.length * 3);
      const { written } = new TextEncoder().encodeInto(text, into);
      return `into ${written} ${short(into.subarray(0, written).join())}`;
    }),
    ...[0, 1, 2, 3, 4, 5, 6].map((room) => {
      const into = new Uint8Array(room);
      const { read, written } = new TextEncoder().encodeInto('aé漢😀', into);
      return `beginning ${read} ${written} ${into.join()}`;
    }),
    ...broken.flatMap((bytes) => [decode(bytes, false, false), decode(bytes, false, true)]),
    ...broken.map((bytes) => decode(bytes, true, true).replace(/thrown.*/, 'thrown')),
    ...broken.map((bytes) => bytesOf(decodeLossless(Uint8Array.from(bytes)))),
    ...['', 'abc', 'é'.repeat(30), 'x'.repeat(55), 'x'.repeat(56), 'x'.repeat(64), 'x'.repeat(100_000)].map((text) =>
      sha256(text),
    ),
    sha256('a', Uint8Array.of(0, 255), 'é'),
    ...objectProbes(),
    ...plainProbes(),
    ...placeProbes(),
  ];
}

/** Every beginning of a text, and the text with each of its bytes exchanged. */
function objectProbes(): string[] {
  const text =
    '[{}]{"é":"\\\\","a" : { "x":[{"b":{}}], "b":\n{ "c":"}{\\"",\t"d":[{},1] },"e":{}} , "b":{"a":{"b":{}}}}';
  const bytes = new TextEncoder().encode(text.slice(4));
  const found = (changed: Uint8Array, ...path: string[]): string => {
    const span = findObject(changed, path);
    return span ? `${span.begin} to ${span.end}` : 'nothing';
  };
  const rows: string[] = [found(new TextEncoder().encode(text), 'a', 'b')];
  for (let at = 0; at <= bytes.length; at++) {
    rows.push(found(bytes.subarray(0, at), 'a', 'b'), found(bytes.subarray(at), 'b'), found(bytes, 'a', 'b'));
    for (const other of '"\\{}[]:a ') {
      const changed = Uint8Array.from(bytes);
      changed[at] = other.charCodeAt(0);
      rows.push(found(changed, 'a', 'b'), found(changed, 'b', 'a', 'b'), found(changed, 'a'));
    }
  }
  return rows;
}

/** What is no ASCII at each place of eight bytes and the next ones: C looks at eight at a time. */
function placeProbes(): string[] {
  return [...Array(20).keys()].flatMap((at) => {
    const bytes = Uint8Array.from({ length: 20 }, (_, i) => (i === at ? 0xff : 0x79));
    const text = `${'y'.repeat(at)}\ud800${'y'.repeat(19 - at)}`;
    return [new TextDecoder().decode(bytes), new TextEncoder().encode(text).join()];
  });
}

/** Every character below 256 at every place of texts of some lengths, and whole ones. */
function plainProbes(): string[] {
  const rows = ['', 'x', ' ~'.repeat(40), 'é', '😀', '\udc80', 'x'.repeat(31)].map((text) => `${isPlain(text)}`);
  for (const length of [1, 15, 16, 17, 33])
    for (let code = 0; code < 256; code++)
      for (const at of new Set([0, 7, 15, 16, length - 1]))
        if (at < length)
          rows.push(`${isPlain('y'.repeat(at) + String.fromCharCode(code) + 'y'.repeat(length - at - 1))}`);
  return rows;
}

function fileProbes(folder: string): string[] {
  const at = (name: string): string => `${folder}/${name}`;
  const facts = (path: string): unknown => {
    const { ino, mtimeMs, dev, ...rest } = files.statIfExists(path) ?? {};
    return { ...rest, known: ino !== undefined && mtimeMs !== undefined && dev !== undefined };
  };
  files.makeDirectory(at('d'), 0o750);
  files.makeDirectories(at('d/e/f'), 0o700);
  files.writeAtomically(at('file'), 'one\ntwo é\n', 0o640);
  files.writeAtomically(at('large'), new Uint8Array(200_000).fill(7));
  // Names that are no UTF-8; Node's own list of names would lose them, so they are gone before that.
  files.expectRawPaths();
  const raw = at(decodeLossless(Uint8Array.of(0x72, 0xff)));
  files.writeAtomically(raw, 'raw');
  const fd = files.openFile(at('file'), files.openFlags.readWrite);
  const lines = [
    error(() => files.readText(raw)),
    error(() => files.removeFile(raw)),
    error(() => files.readText(at('file'))),
    error(() => files.readBytes(at('large')).reduce((sum, byte) => sum + byte, 0)),
    error(() => files.readTextIfExists(at('none'))),
    error(() => files.readTextIfExists(at('file/none'))),
    error(() => files.readText(at('none'))),
    error(() => files.readText(at('d'))),
    error(() => files.openFile(at('none'), files.openFlags.read)),
    ...[at('none'), at('file'), at('d'), '/proc/self/exe'].map((path) => error(() => files.hasReader(path))),
    error(() => files.openFile(at('a\0b'), files.openFlags.read)).replace(/thrown.*/, 'thrown'),
    error(() => files.makeDirectory(at('d'), 0o700)),
    error(() => files.makeDirectories(at('d/e'), 0o700)),
    error(() => files.makeDirectories(at('file/x'), 0o700)),
    error(() => files.removeDirectory(at('d'))),
    error(() => files.removeFile(at('none'))),
    error(() => files.listDirectory(folder).map(bytesOf).sort()),
    error(() => files.listSubdirectories(folder).sort()),
    error(() => files.listDirectory(at('none'))),
    error(() => facts(at('file'))),
    error(() => facts(at('d'))),
    error(() => facts('/dev/null')),
    error(() => files.lstatIfExists('/proc/self/exe')?.kind),
    error(() => files.statIfExists(at('none')) ?? 'absent'),
    error(() => files.fileFacts(fd).size),
    error(() => [...files.readAt(fd, 4, 3)]),
    error(() => [...files.readAt(fd, 8, 100)]),
    error(() => [...files.readSome(fd, 3)]),
    error(() => files.writeAll(fd, 'THREE')),
    error(() => files.readText(at('file'))),
    error(() => files.writeExisting(at('none'), 'x')),
    error(() => files.fileSystemMagic('/proc')),
    error(() => files.fileSystemMagic(at('none'))),
    error(() => files.isWritable(at('file'))),
    error(() => files.isWritable(at('none'))),
    error(() => files.realPath(at('d/../d/e/.')).slice(folder.length)),
    error(() => files.realPath(at('none'))),
    error(() => files.readLink(at('file'))),
    error(() => files.renamePath(at('none'), at('other'))),
    error(() => files.changeMode(at('file'), 0o600)),
    error(() => files.statIfExists(at('file'))?.mode),
    error(() => files.touchFile(at('none'))),
    error(() => files.closeFile(fd)),
    error(() => files.closeFile(fd)),
    error(() => files.writeLoosely(fd, 'x')),
  ];
  return lines;
}

/** Contents of files: what is a plain first line, and what is not. */
const contents: readonly (string | Uint8Array)[] = [
  ...[
    '',
    'a',
    'a\n',
    '\n',
    '\n\n',
    'a\nb',
    'a\nb\n',
    'é\n漢\n',
    'a\tb\n',
    '\ta\n',
    'a\r\n',
    '\r\n',
    'a\0b\n',
    '\x7f\n',
  ],
  ...['\ufeffa\n', '😀\n', `${'x'.repeat(3000)}\n`, `${'y'.repeat(20_000)}\n`, `a\n${'z'.repeat(90_000)}\n`],
  ...[`b\n${'z'.repeat(90_000)}`, `c\n${'z\n'.repeat(90_000)}`],
  ...[Uint8Array.of(0xff, 10), Uint8Array.of(0x61, 10, 0xff, 10), Uint8Array.of(0xed, 0xa0, 0x80, 10)],
];

/** Many at once, and more than are asked about in one call. */
function manyProbes(folder: string): string[] {
  files.makeDirectory(`${folder}/many`, 0o700);
  contents.forEach((data, index) => {
    files.writeAtomically(`${folder}/many/${index}`, data);
  });
  runProgram('sh', [
    '-c',
    'mkfifo "$1/fifo" && ln -s 2 "$1/link" && ln -s none "$1/lost" && mkdir "$1/other" && chown 4711 "$1/other" || :',
    'sh',
    `${folder}/many`,
  ]);
  const directory = files.openDirectory(`${folder}/many`);
  const listener = files.openFile(`${folder}/many/fifo`, files.openFlags.read | files.openFlags.nonBlock);
  const names = [
    'none',
    'fifo',
    'link',
    'lost',
    '.',
    'other',
    '2/x',
    'é',
    ...contents.map((_, index) => String(index)),
  ];
  const paths = [...names, '/proc/self/oom_score_adj', '/dev/null', `${folder}/many/2`];
  const often = [...paths, ...paths].slice(0, most);
  const lines = [...firstLines(directory, often, ''), ...firstLines(directory, ['', '1', 'é'], '2')];
  const own = host.effectiveUid();
  const looks = [
    areThere(directory, often, ''),
    areThere(directory, ['.', 'many', '2'], '/.'),
    areThere(directory, [], ''),
  ];
  const owned = [areOwnDirectories(directory, often, own), areOwnDirectories(directory, often, 4711)];
  const read = Array.from(haveReaders(directory, [...paths, 'fifo'], ''));
  const none = haveReaders(directory, often, '');
  files.closeFile(listener);
  const readers = [read, Array.from(none), Array.from(haveReaders(directory, ['fi', 'no'], 'fo')), reader];
  const pids = [1, host.ownPid(), 0, 2 ** 22 + 1];
  const times = Array.from(startTimesOf([...Array(most / 4).fill(pids)].flat()));
  files.writeAtomically(`${folder}/many/new\nline`, '');
  const listed = files.listDirectory(`${folder}/many`).sort();
  files.removeFile(`${folder}/many/new\nline`);
  const all = files.listDirectory(`${folder}/many`).sort().join();
  return [
    ...lines.map((line) => JSON.stringify(line?.slice(0, 30)) + line?.length + line?.endsWith('\t')),
    JSON.stringify(looks),
    JSON.stringify(owned),
    JSON.stringify(readers),
    ...times.map((time, at) => `${time === 0} ${time === (startTimeOf(pids[at % 4]!) ?? 0)}`),
    JSON.stringify(listed),
    all,
  ];
}

function processProbes(): string[] {
  const counter = openCounter() ?? -1;
  const before = host.monotonicMs();
  host.sleepMs(20);
  waitForAny([counter], 20);
  const waited = host.monotonicMs() - before;
  const own = openProcess(host.ownPid());
  const shell = (script: string): unknown => {
    const { status, output, errors, errno } = runProgram('sh', ['-c', script]);
    return [status, output.length, output.slice(0, 40), errors, errno];
  };
  return [
    `waited ${waited >= 40 && waited < 2000}`,
    `own process ${own !== undefined}`,
    `no process ${openProcess(2 ** 22 + 1)}`,
    error(() => host.sendSignal(2 ** 22 + 1, 15)),
    error(() => host.effectiveUid() + host.effectiveGid() * 2 ** 20),
    error(() => String(host.permittedCapabilities())),
    error(() => [
      host.environment('PROBE'),
      host.environment('EMPTY'),
      host.environment('ABSENT'),
      host.architecture(),
    ]),
    error(() => host.changeDirectory('/nowhere/at/all')),
    error(() => {
      host.changeDirectory('/proc');
      return host.currentDirectory();
    }),
    error(() => shell('echo out; echo err >&2; exit 3')),
    error(() => shell('kill -9 $$')),
    error(() => shell('head -c 300000 /dev/zero | tr "\\\\0" x')),
    error(() => shell('cat; echo "$HOME"')),
    error(() => runProgram('no-such-program-anywhere', [])),
  ];
}

/** The C library's functions, asked once for a list. */
function libraryProbes(): string[] {
  const libc = openLibrary(null);
  const all = (name: string, types: string[], varying: number, ...rest: Parameters<ReturnType<typeof libc.bindEach>>) =>
    error(() =>
      libc
        .bindEach(
          name,
          types,
          varying,
        )(...rest)
        .join(),
    );
  const [one, other] = [Uint8Array.of(1, 2, 3, 0), Uint8Array.of(1, 2, 4)];
  const types = ['void *', 'void *', 'size_t'];
  const compare = libc.bindEach('memcmp', types, 2);
  const rows = libc.bindRows('memcmp', types);
  const places = { bytes: Uint8Array.of(9, 1, 2, 3, 1, 2, 4), places: [1, 4, 0, -1] };
  const columns = [one, places, [3, 3, 1, 0]] as const;
  return [
    all('abs', ['int'], 0, [0], [-1, 0, 2, -(2 ** 31) + 1, 7]),
    all('abs', ['int'], 0, [0], []),
    all('atoi', ['str'], 0, [0], ['12', '', '-7x', 'é', '2147483647']),
    error(() => compare([one, other, 0], [0, 1, 2, 3]).map(Math.sign).join()),
    error(() => compare([other, one, 0], [3]).map(Math.sign).join()),
    error(() => rows(columns).map(Math.sign).join()),
    error(() =>
      rows([places, places, [6, 3, 7, 0]])
        .map(Math.sign)
        .join(),
    ),
    error(() =>
      rows([places, { ...places, places: [4, 1, 0, -1] }, [3, 3, 1, 0]])
        .map(Math.sign)
        .join(),
    ),
    error(() => rows([one, { ...places, places: [] }, []])),
    error(() =>
      libc
        .bindRows('abs', ['int'])([[-1, 0, 2, -(2 ** 31) + 1]])
        .join(),
    ),
    error(() => libc.bindRows('tsrun_no_such', types)).replace(/thrown.*/, 'thrown'),
    all('tsrun_no_such', ['int'], 0, [0], [1]).replace(/thrown.*/, 'thrown'),
  ];
}

/** A line an answer. `folder` is empty and stays as the probes leave it. */
export const probe = (folder: string): string[] => [
  ...textProbes(),
  ...fileProbes(folder),
  ...manyProbes(folder),
  ...processProbes(),
  ...libraryProbes(),
];
