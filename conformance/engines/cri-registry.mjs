// A registry for critest: read-only, on 127.0.0.1, with stand-ins for the images that its specs pull. All of them are one busybox rootfs, and a few files more.
// What it holds are names alone, of no registry: an engine is told that every registry is this one.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { commandLine } from '../../src/build/command-line.mjs';

const { rootfs, portFile } = commandLine({
  name: 'cri-registry',
  call: 'node conformance/engines/cri-registry.mjs',
  about:
    'A read-only registry on 127.0.0.1 with stand-ins for the images that critest pulls. It serves until it is killed.',
  positionals: {
    rootfs: { demandOption: true, description: 'what all of the images are' },
    portFile: { demandOption: true, description: 'gets the port when it answers' },
  },
});
const blobs = new Map();
const images = new Map();
const store = (bytes) => {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  blobs.set(digest, bytes);
  return { digest, size: bytes.length };
};

/** A layer of one folder in the old tar format, files as [name, text, mode]. */
function layerOf(files) {
  const parts = files.flatMap(([name, text, mode]) => {
    const body = Buffer.from(text);
    const head = Buffer.alloc(512);
    const field = (value, at) => head.write(value, at);
    const octal = (value, width) => `${value.toString(8).padStart(width - 1, '0')}\0`;
    field(name, 0);
    field(octal(mode, 8), 100);
    field(octal(0, 8), 108);
    field(octal(0, 8), 116);
    field(octal(body.length, 12), 124);
    field(octal(0, 12), 136);
    field('        0', 148);
    field('ustar\x0000', 257);
    field(
      `${octal(
        head.reduce((sum, byte) => sum + byte, 0),
        7,
      )} `,
      148,
    );
    return [head, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** A static x86-64 program that prints its effective user, which is 0 or 1000: nothing that is a script can be setuid. */
function effectiveUser() {
  const texts = ['Effective uid: 0\n', 'Effective uid: 1000\n'];
  const code = [0xb8, 107, 0, 0, 0, 0x0f, 0x05, 0x85, 0xc0, 0x75, 14]; // geteuid; test eax, eax; jnz
  const length = 11 + 14 + 12 + 21;
  const load = (at, offset, size) => [0x48, 0x8d, 0x35, offset - at - 7, 0, 0, 0, 0xba, size, 0, 0, 0]; // lea rsi, [rip + ..]; mov edx, ..
  code.push(...load(11, length, texts[0].length), 0xeb, 12); // jmp
  code.push(...load(25, length + texts[0].length, texts[1].length));
  code.push(0xbf, 1, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05); // write(1, ..); exit(0)
  const program = Buffer.concat([Buffer.from(code), Buffer.from(texts.join(''))]);
  const base = 0x400000n;
  const head = Buffer.alloc(120);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(62, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(base + 120n, 24);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(1, 64);
  head.writeUInt32LE(5, 68);
  head.writeBigUInt64LE(base, 80);
  head.writeBigUInt64LE(base, 88);
  for (const at of [96, 104]) head.writeBigUInt64LE(BigInt(120 + program.length), at);
  head.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([head, program]);
}

const base = execFileSync('tar', ['-C', rootfs, '--numeric-owner', '-cf', '-', '.'], { maxBuffer: 1 << 28 });

const compressed = (layer) => ({
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  diff: store(layer).digest,
  ...store(gzipSync(layer, { level: 1 })),
});
const below = compressed(base);

function image(names, config, files = []) {
  const layers = [below, compressed(layerOf([['etc/stand-in', names[0], 0o644], ...files]))];
  const settings = store(
    Buffer.from(
      JSON.stringify({
        architecture: process.arch === 'x64' ? 'amd64' : process.arch,
        os: 'linux',
        config: { Env: ['PATH=/bin:/usr/bin:/sbin'], ...config },
        rootfs: { type: 'layers', diff_ids: layers.map(({ diff }) => diff) },
      }),
    ),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...settings },
      layers: layers.map(({ diff, ...descriptor }) => descriptor),
    }),
  );
  const { digest } = store(manifest);
  for (const name of names) {
    images.set(name, digest);
    images.set(`${name.split(':')[0]}@${digest}`, digest);
  }
}

// A web server that looks like nginx: its pid file, the title of its first process, and its page. The shell stays what it was started as.
const web = (port) => ({ Cmd: ['/bin/sh', '/bin/serve', 'nginx: master process', `${port}`] });
const serve = [
  'bin/serve',
  'mkdir -p /var/run; echo $$ >/var/run/nginx.pid\ntrap "exit 0" TERM\nhttpd -f -p "$2" -h /www & wait\n',
  0o755,
];
const page = ['www/index.html', 'Welcome to nginx!\n', 0o644];
const e2e = 'e2e-test-images/';
const staging = 'k8s-staging-cri-tools/';
image([`${e2e}busybox:1.29-2`], { Cmd: ['/bin/sh'] });
image([`${e2e}nginx:1.14-2`], web(80), [serve, page]);
image([`${staging}hostnet-nginx-amd64:latest`], web(12003), [serve, page]);
image([`${e2e}httpd:2.4.39-4`], { Cmd: ['/bin/sh', '-c', 'echo httpd; exec httpd -f -p 80 -h /www'] }, [page]);
image([`${e2e}nonewprivs:1.3`], { Entrypoint: ['/nnp'] }, [['nnp', effectiveUser(), 0o4755]]);
for (const tag of ['3.6', '3.8', '3.9', '3.10', '3.10.1', '3.10.2'])
  image([`pause:${tag}`], { Entrypoint: ['/bin/sh', '-c', 'trap "exit 0" TERM; tail -f /dev/null & wait'] });
for (const [name, User] of [
  ['user-uid', '1002'],
  ['user-username', 'www-data'],
  ['user-uid-group', '1003:users'],
  ['user-username-group', 'www-data:100'],
  ['predefined-group', '1000'],
])
  image([`${staging}test-image-${name}:latest`], { User, Cmd: ['/bin/sh'] });
for (const name of ['latest:latest', 'tag:test', 'tag:all', '1:latest', '2:latest', '3:latest'])
  image([`${staging}test-image-${name}`], { Cmd: ['/bin/sh'] });
image(
  ['1', '2', '3'].map((tag) => `${staging}test-image-tags:${tag}`),
  { Cmd: ['/bin/sh'] },
);

const server = createServer((request, response) => {
  const answer = (type, digest) => {
    const bytes = blobs.get(digest);
    response.writeHead(200, { 'content-type': type, 'content-length': bytes.length, 'docker-content-digest': digest });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  };
  const url = decodeURIComponent(request.url.split('?')[0]);
  if (url === '/v2/') return response.end('{}');
  const [, name, kind, reference] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
  if (kind === 'blobs' && blobs.has(reference)) return answer('application/octet-stream', reference);
  const digest = kind === 'manifests' && images.get(`${name}${reference.includes(':') ? '@' : ':'}${reference}`);
  if (digest) return answer('application/vnd.oci.image.manifest.v1+json', digest);
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"it has no such image"}]}');
});
server.listen(0, '127.0.0.1', () => {
  writeFileSync(`${portFile}.new`, `${server.address().port}\n`);
  renameSync(`${portFile}.new`, portFile);
});
