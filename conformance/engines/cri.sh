#!/usr/bin/env bash
# Kubernetes' road: containerd's CRI plugin with one runtime as a handler of its name: RUNTIME=/path bash conformance/engines/cri.sh [systemd] [core|new|all]
# Needs root, containerd, node, jq, busybox-static. No kubelet: cri.mjs speaks the interface. No CNI plugins: pods get a network
# namespace of their own and an address that exists on paper.
# With "systemd" the cgroups are systemd's; then it has to run in a virtual machine: conformance/vm/run.sh --systemd.
[ "${1:-}" != systemd ] || NO_ISOLATION=yes
. "$(dirname "$(readlink -f "$0")")/lib.sh"
PARTS='systemd core new all'
engine_main "$@"
set -u
[ "${1:-}" != systemd ] || shift
systemd=false
if [ -n "${NO_ISOLATION:-}" ]; then
  [ -d /run/systemd/system ] || { echo '1..0 # SKIP systemd is not process 1'; exit 0; }
  systemd=true
fi
parent_of() { if $systemd; then echo "kubepods-$1.slice"; else echo "/kubepods/$1"; fi; } # parent_of POD: the cgroup that the kubelet names
ENGINE_OWN='kubepods.*(scope|cri-containerd)' ENGINE_CGROUPS='k8s.io|kubepods|kubepods/.*' ENGINE_STATES='/run/containerd/runc/*/*'

. "$here/cri-daemons.sh"
mkdir "$WORK/logs"
paper_network
annotations='      pod_annotations = ["rig.*"]'
containerd_config "$RUNTIME" localhost/pause:1 '' "$annotations"
if [ "$containerd" -ge 2 ]; then
  containerd_handler sandboxed "$RUNTIME" "$annotations"$'\n      sandboxer = "podsandbox"'
  # containerd starts with it on cgroup v2 alone.
  [ "$CGROUP" = 1 ] || containerd_handler writable "$RUNTIME" "$annotations"$'\n      cgroup_writable = true'
fi >>"$WORK/config.toml"
engine_rest() { end_daemon "$daemon"; end_daemon "$server"; }
engine_stop() {
  local pod
  for pod in $(cri ListPodSandbox 2>/dev/null | jq -r '.items[]?.id'); do pod_end "$pod"; done 2>/dev/null
  engine_rest
  engine_remove
}
cri_serve
containerd_start
make_rootfs "$WORK/rootfs"
make_image "$WORK/rootfs" "$WORK/box.tar"
make_image "$WORK/rootfs" "$WORK/pause.tar" localhost/pause:1 '["/bin/tail","-f","/dev/null"]'
for image in box pause; do ctr --address "$WORK/containerd.sock" -n k8s.io image import "$WORK/$image.tar" >/dev/null || { echo "Bail out! no image"; exit 2; }; done
sleep 1 # the plugin learns of images through events

sandbox() { # sandbox NAME [LINUX-JSON]: its configuration; as from the kubelet, a pod in the host's network has no hostname
  local hostname="\"hostname\":\"$1\","
  [[ ${2:-} != *'"network":2'* ]] || hostname=
  echo "{\"metadata\":{\"name\":\"$1\",\"uid\":\"$1\",\"namespace\":\"rig\",\"attempt\":0},$hostname\"logDirectory\":\"$WORK/logs\",\"linux\":{\"cgroupParent\":\"$(parent_of "$1")\"${2:+,$2}}}"
}
pod_start() {
  local id
  id=$(cri RunPodSandbox "{\"config\":$(sandbox "$@"),\"runtimeHandler\":\"$NAME\"}" | jq -r .podSandboxId)
  [ -n "$id" ] && sandbox "$@" >"$WORK/pod.$id" && echo "$id"
}
pod_end() { cri StopPodSandbox "{\"podSandboxId\":\"$1\"}" >/dev/null; cri RemovePodSandbox "{\"podSandboxId\":\"$1\"}" >/dev/null; }
start() { # start POD NAME FIELDS-JSON COMMAND...: prints the container's id
  local pod=$1 name=$2 fields=$3 id command
  shift 3
  command=$(printf '%s\n' "$@" | jq -Rcn '[inputs]')
  id=$(cri CreateContainer "{\"podSandboxId\":\"$pod\",\"sandboxConfig\":$(cat "$WORK/pod.$pod"),\"config\":{\"metadata\":{\"name\":\"$name\",\"attempt\":0},\"image\":{\"image\":\"localhost/box:1\"},\"command\":$command,\"logPath\":\"$name.log\"${fields:+,$fields}}}" | jq -r .containerId)
  [ -n "$id" ] && cri StartContainer "{\"containerId\":\"$id\"}" >/dev/null && echo "$id"
}
say() { # say FIELDS-JSON COMMAND...: the log of a container that runs this command
  local fields=$1 name=say$RANDOM$RANDOM id i
  shift
  id=$(start "$main" "$name" "$fields" "$@") || return
  eventually exited "$id"
  # What it said comes to the log by another way than the news of its end.
  for ((i = 0; i < 20 * patience; i++)); do [ -s "$WORK/logs/$name.log" ] && break; sleep 0.05; done
  sed -n 's/^[^ ]* std[a-z]* [FP] //p' "$WORK/logs/$name.log"
  cri RemoveContainer "{\"containerId\":\"$id\"}" >/dev/null
}
status() { cri ContainerStatus "{\"containerId\":\"$1\"}" | jq -r '.status | "\(.state // 0) \(.exitCode // 0)"'; }
exited() { [[ $(status "$1") == 2\ * ]]; }
in_pod() { # in_pod CONTAINER COMMAND...: ExecSync
  local id=$1
  shift
  cri ExecSync "{\"containerId\":\"$id\",\"cmd\":$(printf '%s\n' "$@" | jq -Rcn '[inputs]'),\"timeout\":20}" >"$WORK/answer" || return
  jq -r '.stdout // "" | rtrimstr("\n")' "$WORK/answer"
  return "$(jq -r '.exitCode // 0' "$WORK/answer")"
}
security() { echo "\"linux\":{\"security\":{$1}}"; }

version_of() { cri Version | jq -r .runtimeName; }
cell 'Version' 'containerd' version_of
main=$(pod_start main)
state_of() { cri PodSandboxStatus "{\"podSandboxId\":\"$main\"}" | jq -r '.status.state // 0'; }
cell 'RunPodSandbox: the pod is ready' '0' state_of
cell 'a container runs and its log is kept' 'hello' say '' echo hello
cell 'both streams are in the log' $'out\nerr' say '' sh -c 'echo out; sleep 0.2; echo err >&2'
one=$(start "$main" one '' sleep 1000) two=$(start "$main" two '' sleep 1000)
cell 'ExecSync' 'hello' in_pod "$one" echo hello
cell -s 7 'ExecSync: the exit status' '' in_pod "$one" sh -c 'exit 7'
stderr_of() { in_pod "$one" sh -c 'echo err >&2' && jq -r .stderr "$WORK/answer"; }
cell 'ExecSync: stderr' $'\nerr' stderr_of
slow() { cri ExecSync "{\"containerId\":\"$one\",\"cmd\":[\"sleep\",\"50\"],\"timeout\":1}" 2>&1 | grep -o 'timeout 1s exceeded'; in_pod "$one" sh -c 'ps | grep -c "[s]leep 50"; :'; }
cell 'ExecSync: the time is up' $'timeout 1s exceeded\n0' slow
shared() { # net, ipc, uts; not mnt
  local kind of=()
  for id in "$one" "$two"; do of+=("$(in_pod "$id" sh -c 'for kind in net ipc uts mnt; do readlink /proc/self/ns/$kind; done')"); done
  comm -12 <(sort <<<"${of[0]}") <(sort <<<"${of[1]}") | cut -d: -f1
}
cell 'two containers share network, ipc and uts' $'ipc\nnet\nuts' shared
cell 'the hostname of the pod' 'main' in_pod "$one" hostname
streamed() { cri exec "$one" no sh -c 'echo out; echo err >&2; exit 5'; }
cell -s 5 'streaming exec' 'out' streamed
streamed_terminal() { cri exec "$one" tty sh -c 'tty; exit 3'; }
cell -s 3 'streaming exec with a terminal' '/dev/pts/[0-9]+' streamed_terminal
stats() { cri ContainerStats "{\"containerId\":\"$one\"}" | jq -r '(.stats.memory.workingSet.value > 0) and (.stats.cpu.usage.value > 0)'; }
cell 'ContainerStats' 'true' stats
cgroup_of() { local dir; if [ "$CGROUP" = 2 ]; then dir=/sys/fs/cgroup; else dir=/sys/fs/cgroup/memory; fi; find $dir -type d -name "*$1*" | head -1; }
cgroup_file() { local dir=/sys/fs/cgroup; [ "$CGROUP" = 2 ] || dir+="/${2%%.*}"; cat "$(find "$dir" -type d -name "*$1*" | head -1)/$([ "$CGROUP" = 2 ] && echo "$3" || echo "$2")"; }
updated() { cri UpdateContainerResources "{\"containerId\":\"$one\",\"linux\":{\"memoryLimit\":67108864,\"cpuShares\":512}}" >/dev/null && cat "$(cgroup_of "$one")/$( [ "$CGROUP" = 2 ] && echo memory.max || echo memory.limit_in_bytes)"; }
cell 'UpdateContainerResources' '67108864' updated
cell 'the container is below the parent of its pod' '.*/kubepods(/|.slice/kubepods-)main(.slice)?/.*' cgroup_of "$one"
stopped() { local id; id=$(start "$main" deaf '' sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done') && eventually grep -q ready "$WORK/logs/deaf.log" && cri StopContainer "{\"containerId\":\"$id\",\"timeout\":10}" >/dev/null && status "$id"; }
cell 'StopContainer sends TERM first' '2 9' stopped
killed() { cri StopContainer "{\"containerId\":\"$two\",\"timeout\":1}" >/dev/null && status "$two"; }
two=$(start "$main" stubborn '' sh -c 'trap "" TERM; while :; do sleep 1; done')
cell 'StopContainer kills when the time is up' '2 137' killed
missing() { start "$main" missing '' /bin/no-such-program 2>&1 | grep -oE 'no-such-program.*(no such file or directory|not found)' | tail -1; }
cell 'a program that is not there' 'no-such-program.*' missing
cell 'run_as_user' '1000' say "$(security '"runAsUser":{"value":1000}')" id -u
cell 'supplemental groups' '.*3000.*' say "$(security '"runAsUser":{"value":1000},"groups":[3000]')" id -G
cell 'a read-only root' '.*Read-only file system' say "$(security '"readonlyRootfs":1')" sh -c 'touch /file 2>&1'
cell 'capabilities dropped' 'CapEff:	0000000000000000' say "$(security '"capabilities":{"drop":["ALL"]}')" grep CapEff /proc/self/status
cell 'no_new_privs' 'NoNewPrivs:	1' say "$(security '"noNewPrivs":1')" grep NoNewPrivs /proc/self/status
cell "seccomp: the engine's default" 'Seccomp:	2' say "$(security '"seccomp":{"type":0}')" grep Seccomp: /proc/self/status
cell 'seccomp: unconfined' 'Seccomp:	0' say "$(security '"seccomp":{"type":1}')" grep Seccomp: /proc/self/status
cell 'masked paths' '0' say "$(security '"maskedPaths":["/proc/keys"]')" sh -c 'wc -c </proc/keys'
cell 'resources' '33554432' say '"linux":{"resources":{"memoryLimit":33554432}},"mounts":[{"containerPath":"/c","hostPath":"/sys/fs/cgroup","readonly":1}]' \
  sh -c 'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat "/c/memory$(sed -n s/.*memory://p /proc/self/cgroup)/memory.limit_in_bytes"'
mkdir -p "$WORK/shared"; echo from outside >"$WORK/shared/in"
cell 'a mount' 'from outside' say "\"mounts\":[{\"containerPath\":\"/data\",\"hostPath\":\"$WORK/shared\",\"readonly\":1}]" cat /data/in
cell 'environment and working directory' '/tmp value' say '"envs":[{"key":"KEY","value":"value"}],"workingDir":"/tmp"' sh -c 'echo $PWD $KEY'
privileged_alone() { say "$(security '"privileged":1')" true 2>&1 | grep -o 'no privileged container allowed in sandbox'; }
cell 'a privileged container in a pod that is not: refused' 'no privileged.*' privileged_alone
pod_end "$main"

sysctl() { local pod; pod=$(pod_start sys '"sysctls":{"net.core.somaxconn":"3000"}') && main=$pod say '' cat /proc/sys/net/core/somaxconn; pod_end "$pod"; }
cell 'sysctls of a pod' '3000' sysctl
host_network() { local pod; pod=$(pod_start host '"security":{"namespaces":{"network":2,"pid":2}}') && main=$pod say "$(security '"namespaces":{"network":2,"pid":2}')" sh -c 'for k in net pid; do readlink /proc/self/ns/$k; done'; pod_end "$pod"; }
cell "the host's network and pids" "$(for k in net pid; do readlink /proc/self/ns/$k | sed 's/[][]/\\&/g'; done)" host_network
privileged() { local pod; pod=$(pod_start priv '"security":{"privileged":1}') && main=$pod say "$(security '"privileged":1')" grep -E 'CapEff|Seccomp:' /proc/self/status; pod_end "$pod"; }
cell 'a privileged pod' $'CapEff:	000001[0-9a-f]+\nSeccomp:	0' privileged
gone() { local pod; pod=$(pod_start last) && cri ListPodSandbox | jq '.items | length'; pod_end "$pod"; cri ListPodSandbox; cri ListContainers; }
cell 'removed pods are gone' $'1\n\\{\\}\n\\{\\}' gone
many_pods() { cri many "$1" '{"metadata":{"name":"c","attempt":0},"image":{"image":"localhost/box:1"},"command":["sleep","1000"]}' "$(parent_of many)"; }
cell '10 pods at once' '10' many_pods 10
[ "${1:-all}" != all ] || . "$here/cri-more.sh"
[ "${1:-all}" = core ] || [ "$containerd" -lt 2 ] || . "$here/cri-new.sh"
engine_end
