# Cells of cri.sh beyond the everyday: which runtime it is, pid namespaces, attach, restarts, stats, devices, propagation, trouble.

used_runtime() { cat "$WORK/state/io.containerd.runtime.v2.task/k8s.io/$1/runtime"; }
pod=$(pod_start more)
cell 'the handler names the runtime' "$RUNTIME" used_runtime "$pod"
documented() { # docs/kubernetes.md
  awk -v of="^[*][*]containerd $containerd" '$0 ~ of { on = 1 } on && /^    / { print substr($0, 5); begun = 1; next } begun && !/^$/ { exit }' "$here/../../docs/kubernetes.md" >"$WORK/documented.toml"
  containerd -c "$WORK/documented.toml" config dump | tr "'" '"' | grep -A$((containerd < 2 ? 15 : 30)) 'runtimes.tsrun\]' | grep -oE '(runtime_type|BinaryName|SystemdCgroup) = .*' | sort -u
}
cell "containerd reads the table of docs/kubernetes.md" $'BinaryName = "/usr/local/bin/tsrun"\nSystemdCgroup = true\nruntime_type = "io.containerd.runc.v2"' documented
by_default() { local id; id=$(cri RunPodSandbox "{\"config\":$(sandbox plain)}" | jq -r .podSandboxId) && used_runtime "$id"; pod_end "$id"; }
cell 'default_runtime_name: a pod without a handler' "$RUNTIME" by_default
no_handler() { cri RunPodSandbox "{\"config\":$(sandbox plain),\"runtimeHandler\":\"nosuch\"}" 2>&1 | grep -o 'no runtime for .nosuch. is configured'; }
cell 'a handler that is not configured' 'no runtime for .*' no_handler
ready() { cri Status | jq -r '.status.conditions[] | select(.type | test("^(Runtime|Network)Ready$")) | "\(.type) \(.status // 0)"'; }
cell 'Status: the runtime is ready' $'RuntimeReady 1\nNetworkReady 1' ready

one=$(start "$pod" first "\"stdin\":1,$(security '"namespaces":{"pid":1}')" sh -c 'while read -r line; do echo "got $line"; done; sleep 1000')
streamed_stdin() { INPUT='typed in' cri exec "$one" stdin head -n 1; }
cell 'streaming exec: stdin' 'typed in' streamed_stdin
cell 'Attach: a line to the first process' 'got line one' cri attach "$one" stdin 'line one'
in_log() { eventually grep -q 'got line one' "$WORK/logs/first.log" && echo logged; }
cell 'what was said is in the log, too' 'logged' in_log
rotated() { mv "$WORK/logs/first.log" "$WORK/logs/first.log.1" && cri ReopenContainerLog "{\"containerId\":\"$one\"}" >/dev/null && cri attach "$one" stdin 'line two' >/dev/null && sed 's/^[^ ]* [a-z]* F //' "$WORK/logs/first.log"; }
cell 'ReopenContainerLog' 'got line two' rotated
probes() { local i pids=(); for i in $(seq 20); do cri ExecSync "{\"containerId\":\"$one\",\"cmd\":[\"echo\",\"well\"],\"timeout\":30}" >>"$WORK/probes" & pids+=($!); done; wait "${pids[@]}"; grep -c '"stdout":"well' "$WORK/probes"; }
cell '20 probes at once' '20' probes
many_stats() { cri ListContainerStats | jq -r '[.stats[] | select(.memory.usage.value > 0 or .memory.workingSet.value > 0)] | length > 0'; }
cell 'ListContainerStats' 'true' many_stats
pod_stats() { cri PodSandboxStats "{\"podSandboxId\":\"$pod\"}" | jq -r '(.stats.linux.cpu.usage.value > 0) and (.stats.linux.memory.workingSet.value > 0)'; }
cell 'PodSandboxStats' 'true' pod_stats
updated_cpu() { cri UpdateContainerResources "{\"containerId\":\"$one\",\"linux\":{\"cpuQuota\":30000,\"cpuPeriod\":100000,\"cpusetCpus\":\"0\"}}" >/dev/null && cgroup_file "$one" cpu.cfs_quota_us cpu.max && cgroup_file "$one" cpuset.cpus cpuset.cpus; }
cell 'UpdateContainerResources: cpu' $'30000( 100000)?\n0' updated_cpu
updated_memory() { cri UpdateContainerResources "{\"containerId\":\"$one\",\"linux\":{\"memoryLimit\":50331648}}" >/dev/null && cgroup_file "$one" memory.limit_in_bytes memory.max && cgroup_file "$one" cpu.cfs_quota_us cpu.max; }
cell 'UpdateContainerResources: memory keeps cpu' $'50331648\n30000( 100000)?' updated_memory
reason() { cri ContainerStatus "{\"containerId\":\"$1\"}" | jq -r '.status | "\(.exitCode // 0) \(.reason)"'; }
ended() { local id; id=$(start "$pod" "$1" "$2" sh -c "$3") && eventually exited "$id" && reason "$id"; }
cell 'reason: Completed' '0 Completed' ended fine '' 'exit 0'
cell 'reason: Error' '3 Error' ended bad '' 'exit 3'
# The whole group goes on cgroup v2, where the plugin asks for it; the shell survives on v1.
cell 'reason: OOMKilled' '(9|137) OOMKilled' ended hungry '"linux":{"resources":{"memoryLimit":16777216}}' 'tail /dev/zero; sleep 2; exit 9'
again() { # the kubelet restarts a container: a new attempt in the same pod
  local id
  id=$(cri CreateContainer "{\"podSandboxId\":\"$pod\",\"sandboxConfig\":$(cat "$WORK/pod.$pod"),\"config\":{\"metadata\":{\"name\":\"bad\",\"attempt\":1},\"image\":{\"image\":\"localhost/box:1\"},\"command\":[\"sleep\",\"1000\"],\"logPath\":\"bad.1.log\"}}" | jq -r .containerId)
  cri StartContainer "{\"containerId\":\"$id\"}" >/dev/null && in_pod "$id" hostname && cri RemoveContainer "{\"containerId\":\"$id\"}" >/dev/null && cri ListContainers | jq -r ".containers[] | select(.id == \"$id\")"
}
cell 'a second attempt; RemoveContainer ends it' 'more' again
main=$pod
cell 'a device' 'c' say '"devices":[{"containerPath":"/dev/nothing","hostPath":"/dev/null","permissions":"rwm"}]' sh -c 'ls -l /dev/nothing | cut -c1'
cell 'oom_score_adj' '500' say '"linux":{"resources":{"oomScoreAdj":500}}' cat /proc/self/oom_score_adj
echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}' >"$WORK/profile.json"
cell 'seccomp: a profile of the host' '.*Operation not permitted' say "$(security "\"seccomp\":{\"type\":2,\"localhostRef\":\"$WORK/profile.json\"}")" sh -c 'mkdir /x 2>&1; :'
cell 'run_as_username' '1000' say "$(security '"runAsUsername":"app"')" id -u
follows() { # HostToContainer: what the host mounts later is seen
  local id; mkdir -p "$WORK/volume" && mount -t tmpfs tmpfs "$WORK/volume" && mount --make-shared "$WORK/volume" && mkdir "$WORK/volume/later"
  id=$(start "$pod" "follows$1" "\"mounts\":[{\"containerPath\":\"/v\",\"hostPath\":\"$WORK/volume\",\"propagation\":$1}]" sleep 1000) && mount -t tmpfs later "$WORK/volume/later" && in_pod "$id" sh -c 'grep -c "^later /v/later " /proc/mounts; :'
  cri RemoveContainer "{\"containerId\":\"$id\"}" >/dev/null; umount -R "$WORK/volume"
}
cell 'mount propagation: HostToContainer' '1' follows 1
cell 'mount propagation: None' '0' follows 0
pid_of_pod() { local id; id=$(start "$pod" "pid$1" "$(security "\"namespaces\":{\"pid\":$1${2:+,\"targetId\":\"$2\"}}")" sleep 1000) && in_pod "$id" sh -c 'tr "\0" " " </proc/1/cmdline'; cri RemoveContainer "{\"containerId\":\"$id\"}" >/dev/null; }
cell 'pid namespace: the container has its own' 'sleep 1000 ' pid_of_pod 1
cell 'pid namespace: that of another container (kubectl debug)' 'sh -c while read.*' pid_of_pod 3 "$one"
shared_pids() { local id p; p=$(pod_start sharing '"security":{"namespaces":{"pid":0}}') && id=$(start "$p" sharing "$(security '"namespaces":{"pid":0}')" sleep 1000) && in_pod "$id" sh -c 'tr "\0" " " </proc/1/cmdline'; pod_end "$p"; }
cell 'pid namespace: that of the pod (shareProcessNamespace)' '/bin/tail -f /dev/null ' shared_pids
stopped_pod() { cri StopPodSandbox "{\"podSandboxId\":\"$pod\"}" >/dev/null && status "$one" && cri PodSandboxStatus "{\"podSandboxId\":\"$pod\"}" | jq -r '.status.state // 0'; }
cell 'StopPodSandbox ends its containers' $'2 137\n1' stopped_pod
pod_end "$pod"

# Trouble: containerd restarts, a shim dies. In this shell, for the new daemon is to be waited for.
pod=$(pod_start trouble)
one=$(start "$pod" lasting '' sh -c 'trap "exit 9" TERM; while :; do sleep 0.1; done')
end_daemon "$daemon"
containerd_start
lasted() { in_pod "$one" hostname && cri PodSandboxStatus "{\"podSandboxId\":\"$pod\"}" | jq -r '.status.state // 0' && cri StopContainer "{\"containerId\":\"$one\",\"timeout\":10}" >/dev/null && status "$one"; }
cell 'containerd restarts: pod and container go on' $'trouble\n0\n2 9' lasted
pod_end "$pod"
not_ready() { [ "$(cri PodSandboxStatus "{\"podSandboxId\":\"$1\"}" | jq -r '.status.state // 0')" = 1 ]; }
shim_dies() { # one shim serves the whole pod
  local pod id
  pod=$(pod_start doomed) && id=$(start "$pod" orphan '' sleep 6001) || return
  kill -KILL "$(pgrep -f "containerd-shim-runc-v2.*-id $pod ")" && eventually not_ready "$pod" && eventually exited "$id" && echo ended
  # containerd 2 does not ask the runtime to delete all of them then.
  [ "$containerd" -lt 2 ] || for left in "$pod" "$id"; do "$RUNTIME" --root /run/containerd/runc/k8s.io delete -f "$left" 2>/dev/null; done
  pgrep -fx 'sleep 6001'; pod_end "$pod"; find /sys/fs/cgroup -type d -name "*$pod*"; ls /run/containerd/runc/k8s.io
  pod=$(pod_start doomed) && id=$(start "$pod" orphan '' sleep 6001) && in_pod "$id" echo once more; pod_end "$pod"
}
cell "the pod's shim dies: nothing is left, its name is free" $'ended\nonce more' shim_dies
cell '30 pods at once' '30' many_pods 30
