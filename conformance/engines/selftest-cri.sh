# What selftest.sh breaks for cri.sh. The pause container is left whole where a cell needs its pod.
together=yes
[ -n "$wanted" ] || { harmless; nothing "Version|containerd reads the table of docs/kubernetes.md|a handler that is not configured|Status: the runtime is ready"; }
leftover 'RunPodSandbox: the pod is ready'
of_container() { echo "if .annotations[\"io.kubernetes.cri.container-type\"] == \"container\" then ($1) else . end"; }
broken - "$(of_container '.process.args=["/bin/true"]')" 'a container runs and its log is kept' 'both streams are in the log' 'ExecSync' 'StopContainer sends TERM first' 'StopContainer kills when the time is up' 'reason: Error'
broken - '.hostname="else"' 'the hostname of the pod'
broken - "$(of_container '.linux.namespaces|=map(if .type=="ipc" then del(.path) else . end)')" 'two containers share network, ipc and uts'
broken exec '' 'ExecSync' 'ExecSync: the exit status' 'ExecSync: stderr' 'ExecSync: the time is up' 'streaming exec' 'streaming exec with a terminal' 'streaming exec: stdin' '20 probes at once'
broken update '' 'UpdateContainerResources' 'UpdateContainerResources: cpu' 'UpdateContainerResources: memory keeps cpu'
broken - "$(of_container '.linux.cgroupsPath|="/elsewhere/"+(split("/")|last)')" 'the container is below the parent of its pod'
broken - '.process.user={uid:0,gid:0}' 'run_as_user' 'supplemental groups' 'run_as_username'
broken - '.root.readonly=false' 'a read-only root'
broken - "$(of_container '.process.capabilities={bounding:["CAP_CHOWN"],permitted:["CAP_CHOWN"],effective:["CAP_CHOWN"]}')" 'capabilities dropped' 'a privileged pod'
broken - '.process.noNewPrivileges=false' 'no_new_privs'
broken - 'del(.linux.seccomp)' "seccomp: the engine's default" 'seccomp: a profile of the host'
broken - '.linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",syscalls:[{names:["mkdirat"],action:"SCMP_ACT_ERRNO"}]}' 'seccomp: unconfined' 'a privileged pod'
broken - 'del(.linux.maskedPaths)' 'masked paths'
broken - 'del(.linux.resources.memory)' 'resources' 'reason: OOMKilled'
broken - '.mounts|=map(select(.destination|test("^/(data|c|v)$")|not))' 'a mount' 'resources' 'mount propagation: HostToContainer'
broken - '.process.env=["PATH=/bin"]|.process.cwd="/"' 'environment and working directory'
broken - 'del(.linux.sysctl)' 'sysctls of a pod'
broken - "$(of_container '.linux.namespaces+=[{type:"pid"}]|.linux.namespaces|=unique_by(.type)|.linux.namespaces|=map(if .type=="pid" then del(.path) else . end)')" \
  "the host's network and pids" 'pid namespace: that of another container (kubectl debug)' 'pid namespace: that of the pod (shareProcessNamespace)'
broken - "$(of_container '.linux.namespaces|=map(if .type=="pid" then {type:"pid",path:"/proc/1/ns/pid"} else . end)')" 'pid namespace: the container has its own'
broken - "$(of_container '.linux.devices=[]')" 'a device'
broken - "$(of_container '.process.oomScoreAdj=100')" 'oom_score_adj'
broken - "$(of_container '.linux.rootfsPropagation="rslave"|.mounts|=map(if .destination=="/v" then .options|=map(if test("slave|private") then "rslave" else . end) else . end)')" 'mount propagation: None'
# containerd 2
if [ "$(containerd --version | grep -oE '[0-9]+\.' | head -n 1)" != 1. ]; then
  broken - "$(of_container 'del(.hooks)')" 'a CDI device: its node, mount, variable and hook' 'NRI: a plugin adjusts a new container'
  broken - "$(of_container '.linux.devices=[]')" 'a CDI device: its node, mount, variable and hook' 'NRI: a plugin adjusts a new container'
  broken update '' 'NRI: a plugin updates a running one'
  broken kill '' 'NRI: a plugin is told of all that happens'
  broken exec '' 'sandbox API: a pod is a sandbox of its controller'
  broken kill '' 'sandbox API: a stopped pod is none'
fi
