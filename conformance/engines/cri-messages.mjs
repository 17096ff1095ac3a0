// The messages of the Container Runtime Interface (runtime.v1) that cri.mjs needs, and their protocol buffers.

/** Messages by name; a field is [number, type], the type a scalar ('bytes' are a Buffer), another message, or one of these in an array or 'map'. */
export const messages = {
  Empty: {},
  VersionResponse: { version: [1, 'string'], runtimeName: [2, 'string'], runtimeVersion: [3, 'string'] },
  Int64: { value: [1, 'int'] },
  Namespaces: {
    network: [1, 'int'],
    pid: [2, 'int'],
    ipc: [3, 'int'],
    targetId: [4, 'string'],
    userns: [5, 'UserNamespace'],
  },
  IdMapping: { hostId: [1, 'int'], containerId: [2, 'int'], length: [3, 'int'] },
  UserNamespace: { mode: [1, 'int'], uids: [2, ['IdMapping']], gids: [3, ['IdMapping']] },
  Profile: { type: [1, 'int'], localhostRef: [2, 'string'] },
  SandboxSecurity: {
    namespaces: [1, 'Namespaces'],
    runAsUser: [3, 'Int64'],
    privileged: [6, 'int'],
    seccomp: [9, 'Profile'],
  },
  LinuxSandbox: { cgroupParent: [1, 'string'], security: [2, 'SandboxSecurity'], sysctls: [3, 'map'] },
  PodMetadata: { name: [1, 'string'], uid: [2, 'string'], namespace: [3, 'string'], attempt: [4, 'int'] },
  Sandbox: {
    metadata: [1, 'PodMetadata'],
    hostname: [2, 'string'],
    logDirectory: [3, 'string'],
    labels: [6, 'map'],
    annotations: [7, 'map'],
    linux: [8, 'LinuxSandbox'],
  },
  RunPodSandboxRequest: { config: [1, 'Sandbox'], runtimeHandler: [2, 'string'] },
  PodId: { podSandboxId: [1, 'string'] },
  PodStatus: { id: [1, 'string'], state: [3, 'int'] },
  PodSandboxStatusResponse: { status: [1, 'PodStatus'] },
  ListPodSandboxResponse: { items: [1, ['PodStatus']] },
  Resources: {
    cpuPeriod: [1, 'int'],
    cpuQuota: [2, 'int'],
    cpuShares: [3, 'int'],
    memoryLimit: [4, 'int'],
    oomScoreAdj: [5, 'int'],
    cpusetCpus: [6, 'string'],
  },
  Capability: { add: [1, ['string']], drop: [2, ['string']] },
  Security: {
    capabilities: [1, 'Capability'],
    privileged: [2, 'int'],
    namespaces: [3, 'Namespaces'],
    runAsUser: [5, 'Int64'],
    runAsUsername: [6, 'string'],
    readonlyRootfs: [7, 'int'],
    groups: [8, ['int']],
    noNewPrivs: [11, 'int'],
    maskedPaths: [13, ['string']],
    readonlyPaths: [14, ['string']],
    seccomp: [15, 'Profile'],
  },
  LinuxContainer: { resources: [1, 'Resources'], security: [2, 'Security'] },
  Metadata: { name: [1, 'string'], attempt: [2, 'int'] },
  Image: { image: [1, 'string'] },
  KeyValue: { key: [1, 'string'], value: [2, 'string'] },
  Mount: {
    containerPath: [1, 'string'],
    hostPath: [2, 'string'],
    readonly: [3, 'int'],
    propagation: [5, 'int'],
    uids: [6, ['IdMapping']],
    gids: [7, ['IdMapping']],
    recursiveReadOnly: [8, 'int'],
    image: [9, 'Image'],
  },
  Device: { containerPath: [1, 'string'], hostPath: [2, 'string'], permissions: [3, 'string'] },
  Container: {
    metadata: [1, 'Metadata'],
    image: [2, 'Image'],
    command: [3, ['string']],
    args: [4, ['string']],
    workingDir: [5, 'string'],
    envs: [6, ['KeyValue']],
    mounts: [7, ['Mount']],
    devices: [8, ['Device']],
    labels: [9, 'map'],
    annotations: [10, 'map'],
    logPath: [11, 'string'],
    stdin: [12, 'int'],
    tty: [14, 'int'],
    linux: [15, 'LinuxContainer'],
    cdiDevices: [17, ['Image']], // a name alone
  },
  CreateContainerRequest: { podSandboxId: [1, 'string'], config: [2, 'Container'], sandboxConfig: [3, 'Sandbox'] },
  ContainerId: { containerId: [1, 'string'] },
  StopContainerRequest: { containerId: [1, 'string'], timeout: [2, 'int'] },
  Status: {
    id: [1, 'string'],
    state: [3, 'int'],
    exitCode: [7, 'int'],
    reason: [10, 'string'],
    message: [11, 'string'],
  },
  ContainerStatusResponse: { status: [1, 'Status'] },
  Listed: { id: [1, 'string'], state: [6, 'int'] },
  ListContainersResponse: { containers: [1, ['Listed']] },
  UpdateContainerResourcesRequest: { containerId: [1, 'string'], linux: [2, 'Resources'] },
  ExecSyncRequest: { containerId: [1, 'string'], cmd: [2, ['string']], timeout: [3, 'int'] },
  ExecSyncResponse: { stdout: [1, 'string'], stderr: [2, 'string'], exitCode: [3, 'int'] },
  ExecRequest: {
    containerId: [1, 'string'],
    cmd: [2, ['string']],
    tty: [3, 'int'],
    stdin: [4, 'int'],
    stdout: [5, 'int'],
    stderr: [6, 'int'],
  },
  ExecResponse: { url: [1, 'string'] },
  Cpu: { usage: [2, 'Int64'] },
  Memory: { workingSet: [2, 'Int64'], usage: [4, 'Int64'] },
  Stats: { cpu: [2, 'Cpu'], memory: [3, 'Memory'] },
  ContainerStatsResponse: { stats: [1, 'Stats'] },
  ListContainerStatsResponse: { stats: [1, ['Stats']] },
  LinuxPodStats: { cpu: [1, 'Cpu'], memory: [2, 'Memory'], process: [4, 'Processes'] },
  Processes: { processCount: [2, 'Int64'] },
  PodStats: { linux: [2, 'LinuxPodStats'] },
  PodSandboxStatsResponse: { stats: [1, 'PodStats'] },
  AttachRequest: {
    containerId: [1, 'string'],
    stdin: [2, 'int'],
    tty: [3, 'int'],
    stdout: [4, 'int'],
    stderr: [5, 'int'],
  },
  Condition: { type: [1, 'string'], status: [2, 'int'] },
  Conditions: { conditions: [1, ['Condition']] },
  HandlerFeatures: { recursiveReadOnly: [1, 'int'], userNamespaces: [2, 'int'] },
  Handler: { name: [1, 'string'], features: [2, 'HandlerFeatures'] },
  StatusResponse: { status: [1, 'Conditions'], handlers: [3, ['Handler']] },
};
/** What goes in and what comes out. */
export const methods = {
  Version: ['Empty', 'VersionResponse'],
  RunPodSandbox: ['RunPodSandboxRequest', 'PodId'],
  StopPodSandbox: ['PodId', 'Empty'],
  RemovePodSandbox: ['PodId', 'Empty'],
  PodSandboxStatus: ['PodId', 'PodSandboxStatusResponse'],
  ListPodSandbox: ['Empty', 'ListPodSandboxResponse'],
  CreateContainer: ['CreateContainerRequest', 'ContainerId'],
  StartContainer: ['ContainerId', 'Empty'],
  StopContainer: ['StopContainerRequest', 'Empty'],
  RemoveContainer: ['ContainerId', 'Empty'],
  ContainerStatus: ['ContainerId', 'ContainerStatusResponse'],
  ListContainers: ['Empty', 'ListContainersResponse'],
  UpdateContainerResources: ['UpdateContainerResourcesRequest', 'Empty'],
  ExecSync: ['ExecSyncRequest', 'ExecSyncResponse'],
  Exec: ['ExecRequest', 'ExecResponse'],
  ContainerStats: ['ContainerId', 'ContainerStatsResponse'],
  ListContainerStats: ['Empty', 'ListContainerStatsResponse'],
  PodSandboxStats: ['PodId', 'PodSandboxStatsResponse'],
  Attach: ['AttachRequest', 'ExecResponse'],
  ReopenContainerLog: ['ContainerId', 'Empty'],
  Status: ['Empty', 'StatusResponse'],
};

function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

export function encode(name, object) {
  const parts = [];
  const put = (number, type, value) => {
    if (type === 'int') return parts.push(varint(number << 3), varint(value === true ? 1 : value));
    const body = type === 'string' || type === 'bytes' ? Buffer.from(value) : encode(type, value);
    parts.push(varint((number << 3) | 2), varint(body.length), body);
  };
  for (const [key, value] of Object.entries(object)) {
    const field = messages[name][key];
    if (field === undefined) throw new Error(`${name} has no field '${key}'`);
    const [number, type] = field;
    if (type === 'map') for (const [k, v] of Object.entries(value)) put(number, 'KeyValue', { key: k, value: v });
    else if (Array.isArray(type)) for (const item of value) put(number, type[0], item);
    else put(number, type, value);
  }
  return Buffer.concat(parts);
}

export function decode(name, buffer) {
  const object = {};
  let at = 0;
  const number = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = buffer[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < buffer.length) {
    const tag = number();
    const [key, field] = Object.entries(messages[name]).find(([, [n]]) => n === tag >> 3) ?? [];
    let value;
    if ((tag & 7) === 0) value = number();
    else if ((tag & 7) === 2) {
      const length = number();
      value = buffer.subarray(at, at + length);
      at += length;
    } else throw new Error(`wire type ${tag & 7}`);
    if (key === undefined) continue;
    const type = Array.isArray(field[1]) ? field[1][0] : field[1];
    if (type === 'string') value = value.toString();
    else if (type !== 'int' && type !== 'map' && type !== 'bytes') value = decode(type, value);
    if (Array.isArray(field[1])) object[key] = [...(object[key] ?? []), value];
    else object[key] = value;
  }
  return object;
}
