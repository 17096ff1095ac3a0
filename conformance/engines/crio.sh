#!/usr/bin/env bash
# Kubernetes' other road: CRI-O with one runtime as its only one, asked by crictl: CRIO=/folder RUNTIME=/path bash conformance/engines/crio.sh [systemd] [core|all]
# crio, pinns and crictl are in the folder, built by hand (github.com/cri-o/cri-o, github.com/kubernetes-sigs/cri-tools), and conmon if it is not to be the machine's.
# Needs root, node, jq, busybox-static. Images come from the stand-in registry of critest.sh, pods get an address that exists on paper.
# Checkpoints want a kernel that CRIU gets on with, and "systemd" wants systemd's cgroups; both are had in a virtual machine:
#   conformance/vm/run.sh [--systemd] --env CRIO --timeout N -- bash conformance/engines/crio.sh [systemd]
[ "${1:-}" != systemd ] || NO_ISOLATION=yes
. "$(dirname "$(readlink -f "$0")")/lib.sh"
PARTS='systemd core all'
engine_words "$@"
brought CRIO crio pinns crictl
engine_main "$@"
set -u
[ "${1:-}" != systemd ] || shift
knows_newer_specs CRI-O
systemd=false
if [ -n "${NO_ISOLATION:-}" ]; then
  [ -d /run/systemd/system ] || { echo '1..0 # SKIP systemd is not process 1'; exit 0; }
  systemd=true
fi
. "$here/cri-daemons.sh"
parent_of() { if $systemd; then echo "kubepods-$1.slice"; else echo "/kubepods/$1"; fi; } # parent_of POD: the cgroup that the kubelet names
ENGINE_OWN='kubepods.*crio-' ENGINE_CGROUPS='kubepods|kubepods/[a-z0-9-]+'
image=registry.k8s.io/e2e-test-images/busybox:1.29-2

# What CRI-O asks the machine for in user namespaces.
mkdir "$WORK/etc"
for file in subuid subgid; do
  { grep -v ^containers: "/etc/$file" 2>/dev/null; echo containers:1000000:1048576; } >"$WORK/etc/$file"
  touch "/etc/$file" && mount --bind "$WORK/etc/$file" "/etc/$file"
done
getent passwd containers >/dev/null || { { cat /etc/passwd; echo containers:x:990:65534::/:/bin/false; } >"$WORK/etc/passwd"; mount --bind "$WORK/etc/passwd" /etc/passwd; }

annotations='userns-mode Devices ShmSize umask seccompNotifierAction UnifiedCgroup cgroup2-mount-hierarchy-rw'
paper_network
make_rootfs "$WORK/rootfs"
registry_start "$WORK/rootfs"
scored_runtime
crio_config "$used" registry.k8s.io/pause:3.10.1 "  default_ulimits = [\"nofile=2000:3000\"]
  allowed_devices = [\"/dev/zero\"]
  enable_criu_support = true" "    allowed_annotations = [$(printf '"io.kubernetes.cri-o.%s", ' $annotations)\"seccomp-profile.kubernetes.cri-o.io\"]
    default_annotations = { \"rig.default\" = \"given\" }
  [crio.runtime.runtimes.strict]
    runtime_path = \"$used\"
    runtime_root = \"/run/$NAME\"
    monitor_path = \"$(PATH=$CRIO:$PATH command -v conmon)\"
    monitor_cgroup = \"$($systemd && echo system.slice || echo pod)\""
crio_folders
ENGINE_MOUNTS+=$'\n/etc/subuid\n/etc/subgid\n/etc/passwd'
crictl() { timeout -k 5 120 "$CRIO/crictl" --config /dev/null -r "unix://$socket" -i "unix://$socket" --timeout 60s "$@"; }
crio_start
engine_rest() {
  ! kill -0 "$daemon" 2>/dev/null || crictl rmp -fa >/dev/null 2>&1 # a minute is what crictl waits for one that has gone
  end_daemon "$daemon"
  end_daemon "$registry"
  umount -R "$WORK/storage/overlay" 2>/dev/null # the graph driver's own, as long as the machine is up
}
engine_stop() { engine_rest; engine_remove; }
for name in "$image" registry.k8s.io/pause:3.10.1; do crictl pull "$name" >/dev/null || { tail -5 "$WORK/daemon.log"; echo 'Bail out! no image'; exit 2; }; done

pod_start() { # pod_start NAME [JQ-FILTER [HANDLER]]: prints its id; its configuration is in $WORK/pod.ID
  local id
  jq -n --arg name "$1" --arg logs "$WORK/logs" --arg parent "$(parent_of "$1")" '{metadata: {name: $name, uid: $name, namespace: "rig", attempt: 0}, hostname: $name, log_directory: $logs,
    linux: {cgroup_parent: $parent, security_context: {namespace_options: {pid: 1}}}} | '"${2:-.}" >"$WORK/pod.$1"
  id=$(crictl runp ${3:+--runtime "$3"} "$WORK/pod.$1") && [ -n "$id" ] && mv "$WORK/pod.$1" "$WORK/pod.$id" && echo "$id"
}
pod_end() { crictl stopp "$1" >/dev/null && crictl rmp "$1" >/dev/null; }
create() { # create POD NAME JQ-FILTER COMMAND...: prints the container's id
  local pod=$1 name=$2 filter=$3
  shift 3
  jq -n --arg name "$name" --arg image "$image" '{metadata: {name: $name, attempt: 0}, image: {image: $image, user_specified_image: $image}, command: $ARGS.positional, log_path: ($name + ".log"),
    linux: {security_context: {namespace_options: {pid: 1}}}} | '"${filter:-.}" --args -- "$@" >"$WORK/container.$pod.$name"
  crictl create --no-pull "$pod" "$WORK/container.$pod.$name" "$WORK/pod.$pod"
}
start() { local id; id=$(create "$@") && [ -n "$id" ] && crictl start "$id" >/dev/null && echo "$id"; }
say() { # say JQ-FILTER COMMAND...: the log of a container in the pod $main that runs this command
  local filter=$1 name=say$RANDOM$RANDOM id
  shift
  id=$(start "$main" "$name" "$filter" "$@") || return
  eventually exited "$id"
  crictl logs "$id" 2>&1
  crictl rm "$id" >/dev/null
}
inspect() { crictl inspect "$1" | jq -r "$2"; }
status() { inspect "$1" '.status | "\(.state | sub("CONTAINER_"; "")) \(.exitCode // 0)"'; }
exited() { [[ $(status "$1") == EXITED\ * ]]; }
reason() { inspect "$1" '.status | "\(.exitCode // 0) \(.reason)"'; }
in_pod() { # in_pod CONTAINER COMMAND...: ExecSync; crictl puts empty lines between the streams
  local status=0 file=$WORK/said.$BASHPID
  crictl exec -s "$@" >"$file" 2>&1 || status=$?
  grep -v '^$' "$file"
  return "$status"
}
log_of() { sed -n 's/^[^ ]* std[a-z]* [FP] //p' "$WORK/logs/$1.log"; }

cell 'Version' 'cri-o' bash -c "'$CRIO/crictl' --config /dev/null -r 'unix://$socket' version | sed -n 's/^RuntimeName: *//p'"
ready() { crictl info | jq -r '.status.conditions[] | select(.type | test("^(Runtime|Network)Ready$")) | "\(.type) \(.status)"'; }
cell 'Status: the runtime is ready' $'RuntimeReady true\nNetworkReady true' ready
features() { crictl info | jq -r --arg name "$NAME" '.runtimeHandlers[] | select(.name == $name) | .features | "\(.recursive_read_only_mounts) \(.user_namespaces)"'; }
cell "Status: what the runtime's features say, recursive read-only mounts and user namespaces" 'true true' features
main=$(pod_start main)
one=$(start "$main" one '' sleep 1000)
two=$(start "$main" two '.stdin = true' sh -c 'while read -r line; do echo "got $line"; done; sleep 1000')
of_pod() { crictl inspectp "$main" | jq -r '.status.state'; }
cell 'RunPodSandbox: the pod is ready' 'SANDBOX_READY' of_pod
used_runtime() { "$RUNTIME" --root "/run/$NAME" list -q | grep -c "$one"; }
cell 'the runtime has the container in its root' '1' used_runtime
pinned() { local kind; for kind in net ipc uts; do findmnt -rno FSTYPE "$(crictl inspectp "$main" | jq -r --arg kind "${kind/net/network}" '.info.runtimeSpec.linux.namespaces[] | select(.type == $kind).path')"; done; }
cell 'pinns keeps the namespaces of the pod' $'nsfs\nnsfs\nnsfs' pinned
joined() { # the container is in the namespaces that pinns keeps
  local kind pid path
  pid=$(inspect "$one" .info.pid)
  [ -e "/proc/$pid/ns/net" ] || return
  for kind in net ipc uts; do
    path=$(inspect "$one" ".info.runtimeSpec.linux.namespaces[] | select(.type == \"${kind/net/network}\").path")
    [ "$(stat -Lc %i "$path")" = "$(stat -Lc %i "/proc/$pid/ns/$kind")" ] && echo "$kind"
  done
}
cell 'containers join them' $'net\nipc\nuts' joined
cell 'a container runs and its log is kept' 'hello' say '' echo hello
both() { main=$main say '' sh -c 'echo out; sleep 0.2; echo err >&2'; }
cell 'both streams are in the log' $'out\nerr' both
cell 'ExecSync' 'hello' in_pod "$one" echo hello
cell -s 1 'ExecSync: the exit status' '.*exited with 7.*' in_pod "$one" sh -c 'exit 7'
cell 'ExecSync: stderr' 'err' in_pod "$one" sh -c 'echo err >&2'
slow() { crictl exec -s --timeout 1 "$one" sleep 50 2>&1 | grep -oE 'timed out|DeadlineExceeded' | head -1; sleep 1; in_pod "$one" sh -c 'ps | grep -c "[s]leep 50"; :'; }
cell 'ExecSync: the time is up' $'(timed out|DeadlineExceeded)\n0' slow
not_there() { in_pod "$one" no-such-program | grep -oE 'no-such-program.*(no such file or directory|not found)' | tail -1; }
cell 'ExecSync: a program that is not there' '.*no-such-program.*' not_there
probes() { local i pids=(); for i in $(seq 20); do in_pod "$one" echo well >>"$WORK/probes" & pids+=($!); done; wait "${pids[@]}"; grep -c '^well' "$WORK/probes"; }
cell '20 probes at once' '20' probes
streamed() { crictl exec "$one" sh -c 'echo out; echo err >&2; exit 5' 2>"$WORK/stderr"; grep -oE '^err$|exit (code|status) 5' "$WORK/stderr"; }
cell 'streaming exec' $'out\nerr\nexit (code|status) 5' streamed
streamed_stdin() { echo 'typed in' | crictl exec -i "$one" head -n 1; }
cell 'streaming exec: stdin' 'typed in' streamed_stdin
streamed_terminal() { on_terminal "timeout --foreground 60 $CRIO/crictl --config /dev/null -r unix://$socket exec -it $one sh -c 'tty; sleep 1; stty size; id -u; sleep 1'"; } # CRI-O may lose what is said at the very end
cell 'streaming exec with a terminal' $'/dev/pts/[0-9]+\n40 100\n0' streamed_terminal
attached() { (sleep 1; echo 'line one'; sleep 1) | timeout 5 "$CRIO/crictl" --config /dev/null -r "unix://$socket" attach -i "$two"; }
cell 'Attach: a line to the first process' 'got line one' attached
in_log() { eventually grep -q 'got line one' "$WORK/logs/two.log" && echo logged; }
cell 'what was said is in the log, too' 'logged' in_log
rotated() { mv "$WORK/logs/two.log" "$WORK/logs/two.log.1" && crictl logs -r "$two" >/dev/null && (echo 'line two'; sleep 1) | timeout 3 "$CRIO/crictl" --config /dev/null -r "unix://$socket" attach -i "$two" >/dev/null; log_of two; }
cell 'ReopenContainerLog' 'got line two' rotated
terminal() { local id; id=$(start "$main" terminal '.tty = true | .stdin = true' sh -c 'tty; stty -a | grep -o "[a-z-]*onlcr"; sleep 1000') && sleep 1 && log_of terminal; crictl rm -f "$id" >/dev/null; }
cell 'a container with a terminal' $'/dev/.*\n-?onlcr' terminal
shared() { # net, ipc, uts; not mnt, not pid
  local of=() id
  for id in "$one" "$two"; do of+=("$(in_pod "$id" sh -c 'for kind in net ipc uts mnt pid; do readlink /proc/self/ns/$kind; done')"); done
  comm -12 <(sort <<<"${of[0]}") <(sort <<<"${of[1]}") | cut -d: -f1
}
cell 'two containers share network, ipc and uts' $'ipc\nnet\nuts' shared
cell 'the hostname of the pod' 'main' in_pod "$one" hostname
stats() { crictl stats -o json "$one" | jq -r '.stats[0] | ((.memory.workingSetBytes.value | tonumber) > 0) and ((.cpu.usageCoreNanoSeconds.value | tonumber) > 0)'; }
cell 'ContainerStats' 'true' stats
pod_stats() { crictl statsp -o json "$main" | jq -r '[.stats[0].linux.containers[] | ((.memory.workingSetBytes.value | tonumber) > 0) and ((.cpu.usageCoreNanoSeconds.value | tonumber) > 0)] | length >= 2 and all'; }
cell 'PodSandboxStats' 'true' pod_stats
cgroup_file() { local dir=/sys/fs/cgroup; [ "$CGROUP" = 2 ] || dir+="/${2%%.*}"; cat "$(find "$dir" -type d -name "*$1*" ! -name '*conmon*' | head -1)/$([ "$CGROUP" = 2 ] && echo "$3" || echo "$2")"; }
updated() { crictl update --memory 67108864 --cpu-quota 30000 --cpu-period 100000 --cpuset-cpus 0 "$one" >/dev/null && cgroup_file "$one" memory.limit_in_bytes memory.max && cgroup_file "$one" cpu.cfs_quota_us cpu.max && cgroup_file "$one" cpuset.cpus cpuset.cpus; }
cell 'UpdateContainerResources' $'67108864\n30000( 100000)?\n0' updated
below() { find /sys/fs/cgroup -type d -name "*$one*" ! -name '*conmon*' | head -1; }
cell 'the container is below the parent of its pod' '.*/kubepods(/|.slice/kubepods-)main(.slice)?/.*' below
stopped() { local id; id=$(start "$main" "deaf$1" '' sh -c "trap 'exit 9' $1; echo ready; while :; do sleep 0.1; done") && eventually grep -q ready "$WORK/logs/deaf$1.log" && crictl stop --timeout 10 "$id" >/dev/null && status "$id"; }
cell 'StopContainer sends TERM first' 'EXITED 9' stopped TERM
killed() { local id began; id=$(start "$main" stubborn '' sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done') && eventually grep -q ready "$WORK/logs/stubborn.log" && began=$SECONDS && crictl stop --timeout 2 "$id" >/dev/null && [ $((SECONDS - began)) -lt 20 ] && status "$id"; }
cell 'StopContainer kills when the time is up' 'EXITED 137' killed
ended() { local id; id=$(start "$main" "$1" "$2" sh -c "$3") && eventually exited "$id" && reason "$id"; }
cell 'reason: Completed' '0 Completed' ended fine '' 'exit 0'
cell 'reason: Error' '3 Error' ended bad '' 'exit 3'
# conmon 2.1 stops listening at the first news of memory.events that is no kill yet, and looks once more at the end, where systemd may have been quicker: with runc, too.
hungry() { local n said; for n in 1 2 3 4 5 6; do said=$(ended "hungry$n" "$@"); [[ $said != *OOMKilled ]] || break; done; echo "$said"; }
cell 'reason: OOMKilled' '(9|137) OOMKilled' hungry '.linux.resources.memory_limit_in_bytes = 16777216' 'tail /dev/zero; sleep 2; exit 9'
missing() { start "$main" missing '' /bin/no-such-program 2>&1 | grep -oE 'no-such-program.*(no such file or directory|not found)' | tail -1; }
cell 'a program that is not there' 'no-such-program.*' missing
again() { local id; id=$(start "$main" bad '.metadata.attempt = 1' sleep 1000) && in_pod "$id" hostname && crictl rm -f "$id" >/dev/null && crictl ps -aq | grep "$id"; :; }
cell 'a second attempt; RemoveContainer ends it' 'main' again
security() { echo ".linux.security_context += {$1}"; }
cell 'run_as_user' '1000' say "$(security 'run_as_user: {value: 1000}')" id -u
cell 'supplemental groups' '.*3000.*' say "$(security 'run_as_user: {value: 1000}, supplemental_groups: [3000]')" id -G
cell 'a read-only root' '.*Read-only file system' say "$(security 'readonly_rootfs: true')" sh -c 'touch /file 2>&1'
cell 'capabilities dropped' 'CapEff:	0000000000000000' say "$(security 'capabilities: {drop_capabilities: ["ALL"]}')" grep CapEff /proc/self/status
cell 'no_new_privs' 'NoNewPrivs:	1' say "$(security 'no_new_privs: true')" grep NoNewPrivs /proc/self/status
cell "seccomp: the engine's default" 'Seccomp:	2' say "$(security 'seccomp: {profile_type: 0}')" grep Seccomp: /proc/self/status
echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}' >"$WORK/profile.json"
cell 'seccomp: a profile of the host' '.*Operation not permitted' say "$(security "seccomp: {profile_type: 2, localhost_ref: \"$WORK/profile.json\"}")" sh -c 'mkdir /x 2>&1; :'
cell 'masked paths' '0' say "$(security 'masked_paths: ["/proc/keys"]')" sh -c 'wc -c </proc/keys'
cell 'default_ulimits' $'2000\n3000' say '' sh -c 'ulimit -Sn; ulimit -Hn'
cell 'oom_score_adj' '500' say '.linux.resources.oom_score_adj = 500' cat /proc/self/oom_score_adj
mkdir -p "$WORK/shared" && echo from outside >"$WORK/shared/in"
cell 'a mount' 'from outside' say ".mounts = [{container_path: \"/data\", host_path: \"$WORK/shared\", readonly: true}]" cat /data/in
cell 'environment and working directory' '/tmp value' say '.envs = [{key: "KEY", value: "value"}] | .working_dir = "/tmp"' sh -c 'echo $PWD $KEY'
cell 'a device' 'c' say '.devices = [{container_path: "/dev/nothing", host_path: "/dev/null", permissions: "rwm"}]' sh -c 'ls -l /dev/nothing | cut -c1'
asked() { node -e 'require("http").get({ socketPath: process.argv[1], path: process.argv[2] }, (r) => { r.resume(); r.statusCode === 200 || process.exit(1); })' "$socket" "/$1"; } # what CRI-O serves beside the CRI
paused() { asked "pause/$one" && frozen_or_thawed "$(inspect "$one" .info.pid)" && asked "unpause/$one" && frozen_or_thawed "$(inspect "$one" .info.pid)" && in_pod "$one" echo on; }
cell 'pause, unpause' $'frozen\nthawed\non' paused
[ "${1:-all}" = core ] || . "$here/crio-more.sh"
ends() { pod_end "$main" && crictl pods -q | grep -c "$main"; crictl ps -aq --pod "$main" | grep -c .; "$RUNTIME" --root "/run/$NAME" list -q | grep -cE "$main|$one|$two"; find "$WORK/ns" -type f | grep -c .; :; }
cell 'removed pods are gone, and their namespaces' $'0\n0\n0\n0' ends
engine_end
