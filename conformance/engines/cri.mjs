// A small client of the Kubernetes Container Runtime Interface (runtime.v1), enough for cri.sh: gRPC over HTTP/2 on a unix socket.
import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { commandLine } from '../../src/build/command-line.mjs';
import { decode, encode, methods } from './cri-messages.mjs';

// The words after the method may be a command of a container, with options of its own.
const rest = process.argv.slice(4);
const { socket, method: verb } = commandLine(
  {
    name: 'cri',
    call: 'node conformance/engines/cri.mjs',
    about: 'A small client of the Container Runtime Interface.',
    positionals: {
      socket: { demandOption: true, description: "the engine's" },
      method: { demandOption: true, description: 'of the RuntimeService, or exec, attach, many, serve' },
      words: { array: true, description: 'what the method takes' },
    },
    examples: [
      ['$0 SOCKET METHOD [JSON]', 'one call; prints the answer as JSON'],
      [
        '$0 SOCKET exec CONTAINER tty|stdin|no COMMAND...',
        'streaming exec through a websocket; prints stdout, exits with the status',
      ],
      [
        '$0 SOCKET attach CONTAINER tty|stdin|no LINE',
        'sends a line to the first process and prints what it says for a second',
      ],
      [
        '$0 SOCKET many COUNT JSON PARENT',
        'so many pods with a container each, all at once, below a cgroup; prints how many ran',
      ],
      [
        '$0 SOCKET serve FILE',
        'calls of others, a connection each: "METHOD JSON" a line in, "0 JSON" or "1 error" out. FILE gets the port on 127.0.0.1. Node takes seconds to start in an emulated machine',
      ],
    ],
  },
  process.argv.slice(2, 4),
);
const session = verb === 'serve' ? undefined : connect((error) => fail(error.message));

function fail(text) {
  console.error(text);
  process.exit(1);
}

function connect(failed) {
  const made = http2.connect('http://cri', { createConnection: () => net.connect(socket) });
  made.on('error', failed);
  return made;
}

function call(method, request = {}, connection = session) {
  return new Promise((resolve, reject) => {
    const [input, output] = methods[method] ?? reject(new Error(`no method '${method}'`)) ?? [];
    if (input === undefined) return;
    const body = encode(input, request);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(body.length, 1);
    const stream = connection.request({
      ':method': 'POST',
      ':path': `/runtime.v1.RuntimeService/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks = [];
    let trailers = {};
    stream.on('response', (headers) => (trailers = { ...trailers, ...headers }));
    stream.on('trailers', (headers) => (trailers = { ...trailers, ...headers }));
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => {
      if (trailers['grpc-status'] !== '0')
        return reject(new Error(`${method}: ${decodeURIComponent(trailers['grpc-message'] ?? 'no answer')}`));
      resolve(decode(output, Buffer.concat(chunks).subarray(5)));
    });
    stream.end(Buffer.concat([head, body]));
  });
}

/** What a message of the client looks like on a websocket: short, masked, its first byte is the channel. */
function frame(channel, text) {
  const body = Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from([0x82, 0x80 | body.length]), mask, body.map((byte, i) => byte ^ mask[i % 4])]);
}

/** kubelet's streaming protocol: the first byte of a message is the channel; 3 ends the command with a status object. */
async function stream(url, input, seconds) {
  const request = http.request(url, {
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      'Sec-WebSocket-Protocol': 'v4.channel.k8s.io',
    },
  });
  request.end();
  let pending = Buffer.alloc(0);
  let status = 0;
  const take = (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2) {
      let length = pending[1] & 127;
      let start = 2;
      if (length === 126) [length, start] = [pending.readUInt16BE(2), 4];
      if (pending.length < start + length) return;
      const payload = pending.subarray(start, start + length);
      if ((pending[0] & 15) <= 2 && payload.length > 1) {
        if (payload[0] === 1) process.stdout.write(payload.subarray(1));
        if (payload[0] === 2) process.stderr.write(payload.subarray(1));
        if (payload[0] === 3) {
          const answer = JSON.parse(payload.subarray(1).toString());
          if (answer.status !== 'Success')
            status = Number(answer.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message ?? 255);
        }
      }
      pending = pending.subarray(start + length);
    }
  };
  await new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => reject(new Error(`no upgrade: ${response.statusCode}`)));
    request.on('upgrade', (_response, stream, head) => {
      take(head);
      stream.on('data', take);
      stream.on('close', resolve);
      stream.on('end', resolve);
      if (input !== undefined) stream.write(frame(0, `${input}\n`));
      if (seconds !== undefined) setTimeout(() => stream.destroy(), seconds * 1000);
    });
  });
  return status;
}

async function many(count, container, cgroupParent) {
  const one = async (i) => {
    const config = {
      metadata: { name: `many${i}`, uid: `many${i}`, namespace: 'rig', attempt: 0 },
      linux: { cgroupParent },
    };
    const { podSandboxId } = await call('RunPodSandbox', { config });
    const { containerId } = await call('CreateContainer', { podSandboxId, sandboxConfig: config, config: container });
    await call('StartContainer', { containerId });
    const { stdout } = await call('ExecSync', { containerId, cmd: ['echo', 'hi'], timeout: 30 });
    await call('StopPodSandbox', { podSandboxId });
    await call('RemovePodSandbox', { podSandboxId });
    return stdout === 'hi\n';
  };
  const results = await Promise.allSettled(Array.from({ length: count }, (_, i) => one(i)));
  for (const result of results) if (result.status === 'rejected') console.error(result.reason.message);
  return results.filter((result) => result.value === true).length;
}

/** The flags of a streaming request. With a terminal but no stdin, containerd 1.6 drops the output. */
function streams(mode) {
  const tty = mode === 'tty' ? 1 : 0;
  return { tty, stdin: mode === 'no' ? 0 : 1, stdout: 1, stderr: tty ? 0 : 1 };
}

async function exec([containerId, mode, ...cmd]) {
  const { url } = await call('Exec', { containerId, cmd, ...streams(mode) });
  return stream(url, mode === 'stdin' ? process.env.INPUT : undefined);
}

async function attach([containerId, mode, line]) {
  const { url } = await call('Attach', { containerId, ...streams(mode) });
  await stream(url, line, 1);
}

/** A connection of its own to the daemon for every call: it may be another daemon than that of the last one. */
function serve(file) {
  const server = net.createServer((client) => {
    let connection;
    const answer = (text) => {
      client.end(`${text.replaceAll('\n', ' ')}\n`);
      connection?.destroy();
    };
    const limit = setTimeout(() => answer('1 no answer in two minutes'), 120_000);
    client.on('close', () => clearTimeout(limit));
    client.on('error', () => connection?.destroy());
    let line = '';
    client.on('data', (chunk) => {
      line += chunk;
      if (!line.endsWith('\n')) return;
      const [, method, json] = line.match(/^(\w+) (.*)\n$/) ?? [];
      connection = connect((error) => answer(`1 ${error.message}`));
      call(method, JSON.parse(json), connection).then(
        (result) => answer(`0 ${JSON.stringify(result)}`),
        (error) => answer(`1 ${error.message}`),
      );
    });
  });
  server.listen(0, '127.0.0.1', () => {
    writeFileSync(`${file}.new`, `${server.address().port}`);
    renameSync(`${file}.new`, file);
  });
}

try {
  if (verb === 'serve') serve(rest[0]);
  else if (verb === 'exec') process.exitCode = await exec(rest);
  else if (verb === 'attach') await attach(rest);
  else if (verb === 'many') console.log(await many(Number(rest[0]), JSON.parse(rest[1]), rest[2]));
  else console.log(JSON.stringify(await call(verb, rest[0] ? JSON.parse(rest[0]) : {})));
} catch (error) {
  fail(error.message);
}
session?.close();
