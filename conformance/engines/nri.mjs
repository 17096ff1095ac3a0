// A plugin of the Node Resource Interface (nri.pkg.api.v1alpha1), as containerd 2 and CRI-O take them: ttrpc over a connection that two services share.
import net from 'node:net';
import { commandLine } from '../../src/build/command-line.mjs';
import { decode, encode, messages } from './cri-messages.mjs';

Object.assign(messages, {
  Register: { name: [1, 'string'], index: [2, 'string'] },
  Configured: { events: [2, 'int'] },
  NriPod: { id: [1, 'string'], name: [2, 'string'], handler: [7, 'string'] },
  NriContainer: { id: [1, 'string'], name: [3, 'string'], state: [4, 'int'], env: [8, ['string']] },
  Event: { event: [1, 'int'], pod: [2, 'NriPod'], container: [3, 'NriContainer'] },
  OfContainer: { pod: [1, 'NriPod'], container: [2, 'NriContainer'] },
  NriMount: { destination: [1, 'string'], type: [2, 'string'], source: [3, 'string'], options: [4, ['string']] },
  Optional: { value: [1, 'int'] },
  Hook: { path: [1, 'string'], args: [2, ['string']], env: [3, ['string']] },
  Hooks: {
    prestart: [1, ['Hook']],
    createRuntime: [2, ['Hook']],
    startContainer: [4, ['Hook']],
    poststop: [6, ['Hook']],
  },
  NriDevice: {
    path: [1, 'string'],
    type: [2, 'string'],
    major: [3, 'int'],
    minor: [4, 'int'],
    fileMode: [5, 'Optional'],
  },
  NriMemory: { limit: [1, 'Optional'] },
  NriCpu: { shares: [1, 'Optional'] },
  Pids: { limit: [1, 'int'] },
  NriResources: { memory: [1, 'NriMemory'], cpu: [2, 'NriCpu'], pids: [8, 'Pids'] },
  LinuxAdjust: { devices: [1, ['NriDevice']], resources: [2, 'NriResources'], oomScoreAdj: [4, 'Optional'] },
  Rlimit: { type: [1, 'string'], hard: [2, 'int'], soft: [3, 'int'] },
  Adjust: {
    annotations: [2, 'map'],
    mounts: [3, ['NriMount']],
    env: [4, ['KeyValue']],
    hooks: [5, 'Hooks'],
    linux: [6, 'LinuxAdjust'],
    rlimits: [7, ['Rlimit']],
  },
  Adjusted: { adjust: [1, 'Adjust'] },
  LinuxUpdate: { resources: [1, 'NriResources'] },
  Update: { containerId: [1, 'string'], linux: [2, 'LinuxUpdate'] },
  Updates: { update: [1, ['Update']] },
  Request: { service: [1, 'string'], method: [2, 'string'], payload: [3, 'bytes'] },
  Status: { code: [1, 'int'], message: [2, 'string'] },
  Response: { status: [1, 'Status'], payload: [2, 'bytes'] },
});

const { socket, name, adjust, update } = commandLine({
  name: 'nri',
  call: 'node conformance/engines/nri.mjs',
  about:
    'A plugin of the Node Resource Interface: adjusts each new container of a name, and says on stdout, a line each, what it is told.',
  positionals: {
    socket: { demandOption: true, description: "the engine's" },
    name: { demandOption: true, description: 'of the containers' },
    adjust: { demandOption: true, description: 'ContainerAdjustment as JSON' },
    update: { description: 'resources as JSON: on SIGUSR1 it asks for this update of the last one it adjusted' },
  },
});
const events = [
  '',
  'run pod',
  'stop pod',
  'remove pod',
  'create',
  'created',
  'start',
  'started',
  'update',
  'updated',
  'stop',
  'remove',
];
const all = 0x7ff; // one bit an event
const [plugin, runtime] = [1, 2]; // the two connections in the one
const trunk = net.connect(socket);
let adjusted;
let stream = -1;

function send(connection, id, type, message) {
  const head = Buffer.alloc(18);
  head.writeUInt32BE(connection, 0);
  head.writeUInt32BE(10 + message.length, 4);
  head.writeUInt32BE(message.length, 8);
  head.writeUInt32BE(id, 12);
  head[16] = type;
  trunk.write(Buffer.concat([head, message]));
}

function ask(method, message) {
  stream += 2; // a client's are odd
  const service = 'nri.pkg.api.v1alpha1.Runtime';
  send(runtime, stream, 1, encode('Request', { service, method, payload: message }));
}

/** What the plugin answers; also says what it was told. */
function answer(method, payload) {
  if (method === 'Configure') return encode('Configured', { events: all });
  if (method === 'StateChange') {
    const { event, pod, container } = decode('Event', payload);
    console.log(`${events[event]} ${container?.name ?? pod?.name}`);
    return Buffer.alloc(0);
  }
  if (!/^(Create|Update|Stop)Container$/.test(method)) {
    console.log(method.toLowerCase());
    return Buffer.alloc(0);
  }
  const { container } = decode('OfContainer', payload);
  console.log(`${method.replace('Container', '').toLowerCase()} ${container.name}`);
  if (method !== 'CreateContainer' || container.name !== name) return Buffer.alloc(0);
  adjusted = container.id;
  return encode('Adjusted', { adjust: JSON.parse(adjust) });
}

function take(connection, id, type, body) {
  if (type === 1) {
    const { method, payload } = decode('Request', body);
    const reply = answer(method, payload ?? Buffer.alloc(0));
    return send(connection, id, 2, encode('Response', { payload: reply }));
  }
  const { status } = decode('Response', body);
  if (status?.code) console.log(`refused: ${status.message}`);
}

/** Frames of the trunk to the two connections, and their bytes to messages. */
const waiting = { 0: Buffer.alloc(0), [plugin]: Buffer.alloc(0), [runtime]: Buffer.alloc(0) };
trunk.on('data', (chunk) => {
  waiting[0] = Buffer.concat([waiting[0], chunk]);
  while (waiting[0].length >= 8 && waiting[0].length >= 8 + waiting[0].readUInt32BE(4)) {
    const [connection, length] = [waiting[0].readUInt32BE(0), waiting[0].readUInt32BE(4)];
    let bytes = Buffer.concat([waiting[connection], waiting[0].subarray(8, 8 + length)]);
    waiting[0] = waiting[0].subarray(8 + length);
    while (bytes.length >= 10 && bytes.length >= 10 + bytes.readUInt32BE(0)) {
      const size = bytes.readUInt32BE(0);
      take(connection, bytes.readUInt32BE(4), bytes[8], bytes.subarray(10, 10 + size));
      bytes = bytes.subarray(10 + size);
    }
    waiting[connection] = bytes;
  }
});
trunk.on('close', () => process.exit(0));
process.on('SIGUSR1', () =>
  ask(
    'UpdateContainers',
    encode('Updates', { update: [{ containerId: adjusted, linux: { resources: JSON.parse(update) } }] }),
  ),
);
ask('RegisterPlugin', encode('Register', { name: 'rig', index: '10' }));
