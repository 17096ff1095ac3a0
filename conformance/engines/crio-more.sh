# Cells of crio.sh beyond the everyday: annotations, hooks.d, user namespaces, other namespaces, mounts, checkpoint, trouble.

of_crio() { echo ".annotations += {\"io.kubernetes.cri-o.$1\": \"$2\"}"; }
# annotated FILTER COMMAND...: what a container named `it` says in a pod of its own
annotated() {
  local pod id filter=$1
  shift
  pod=$(pod_start annotated "$filter" "${handler:-}") && id=$(start "$pod" it "${container:-.} | .log_path = \"it$RANDOM.log\"" "$@") && eventually exited "$id" && crictl logs "$id" 2>&1 | grep -v warning # a runtime's own, which conmon takes for the container's
  pod_end "$pod"
}
cell 'annotation Devices' 'c' annotated "$(of_crio Devices /dev/zero:/dev/nought:rwm)" sh -c 'ls -l /dev/nought | cut -c1'
not_allowed() { local handler=strict; annotated "$(of_crio Devices /dev/zero:/dev/nought:rwm)" sh -c 'ls /dev/nought 2>&1'; }
cell 'annotation Devices: a handler that does not allow it' '.*No such file or directory' not_allowed
cell 'annotation ShmSize' '16384' annotated "$(of_crio ShmSize 16Mi)" sh -c 'df -k /dev/shm | awk "NR == 2 { print \$2 }"'
cell 'annotation umask' '0077' annotated "$(of_crio umask 077)" sh -c umask
in_config() { local id; id=$(start "$main" defaults '' sleep 1000) && inspect "$id" '.info.runtimeSpec.annotations["rig.default"]'; crictl rm -f "$id" >/dev/null; }
cell "default_annotations of the handler reach the runtime" 'given' in_config
notified() { # the listener goes to CRI-O, which ends the container five seconds after a syscall that the profile refuses
  local pod id
  pod=$(pod_start notified "$(of_crio seccompNotifierAction stop)") && id=$(start "$pod" it "$(security 'seccomp: {profile_type: 0}')" sleep 1000) && { in_pod "$id" swapoff /etc/passwd >/dev/null; :; }
  patience=30 eventually exited "$id" && inspect "$id" '.status | "\(.reason), \(.message)"'
  pod_end "$pod"
}
cell 'annotation seccompNotifierAction: the syscall is seen, the container stopped' 'seccomp killed, Used forbidden syscalls: swapoff.*' notified
if [ "$CGROUP" = 2 ]; then
  # The name is that of the kubelet's label. A value that can be read as base64 is: eight digits can, so these are.
  unified() { local container='.labels = {"io.kubernetes.container.name": "it"}'; annotated "$(of_crio UnifiedCgroup/it "memory.high=$(printf 12345678 | base64)")" cat /sys/fs/cgroup/memory.high; }
  cell 'annotation UnifiedCgroup' '12345344' unified
  cell 'annotation cgroup2-mount-hierarchy-rw' '1' annotated "$(of_crio cgroup2-mount-hierarchy-rw true)" sh -c 'grep -c "/sys/fs/cgroup rw" /proc/self/mountinfo'
fi

# hooks.d: every stage writes its name and what it was told of the container. startContainer's is a program of the container.
if any_wanted 'hooks.d: all stages, in their order' 'hooks.d: a hook that fails' 'hooks.d: only where the annotation is'; then
  printf '#!/bin/sh\nstate=$(tr -d "\\n")\nprintf "%%s %%s\\n" "$1" "$(printf %%s "$state" | sed -E "s/.*\\"status\\": *\\"([a-z]*)\\".*/\\1/")" >>%s/hooked\n' "$WORK/shared" >"$WORK/hook"
  printf '#!/bin/sh\nexit 3\n' >"$WORK/failing"
  chmod 755 "$WORK/hook" "$WORK/failing"
  for stage in prestart createRuntime createContainer poststart poststop; do
    echo "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"$WORK/hook\",\"args\":[\"hook\",\"$stage\"]},\"when\":{\"annotations\":{\"^rig.hook$\":\"^yes$\"}},\"stages\":[\"$stage\"]}" >"$WORK/hooks.d/$stage.json"
  done
  echo '{"version":"1.0.0","hook":{"path":"/bin/sh","args":["sh","-c","echo startContainer >>/shared/hooked"]},"when":{"annotations":{"^rig.hook$":"^yes$"}},"stages":["startContainer"]}' >"$WORK/hooks.d/startContainer.json"
  echo "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"$WORK/failing\"},\"when\":{\"annotations\":{\"^rig.hook$\":\"^fails$\"}},\"stages\":[\"createRuntime\"]}" >"$WORK/hooks.d/failing.json"
  sleep 1 # CRI-O watches the folder
  hooked() {
    local id
    rm -f "$WORK/shared/hooked"
    id=$(start "$main" "hooked$RANDOM" ".annotations = {\"rig.hook\": \"$1\"} | .mounts = [{container_path: \"/shared\", host_path: \"$WORK/shared\"}]" true) || { echo refused; return; }
    eventually exited "$id"
    crictl rm "$id" >/dev/null
    cat "$WORK/shared/hooked" 2>/dev/null
    :
  }
  # CRI-O makes prestart hooks createRuntime hooks, in the order of the files' names.
  cell 'hooks.d: all stages, in their order' $'createRuntime creat(ing|ed)\nprestart creat(ing|ed)\ncreateContainer creat(ing|ed)\nstartContainer\npoststart (running|stopped)\npoststop stopped' hooked yes
  cell 'hooks.d: a hook that fails' 'refused' hooked fails
  cell 'hooks.d: only where the annotation is' '' hooked no
fi

cell "user namespace: by CRI-O's annotation" ' 0 1[0-9]{6} 65536' annotated "$(of_crio userns-mode auto:size=65536)" sh -c 'tr -s " " </proc/self/uid_map'
kept_id() { local container='.linux.security_context.run_as_user = {value: 1000}'; annotated "$(of_crio userns-mode 'auto:size=65536;keep-id=true') | .linux.security_context.run_as_user = {value: 1000}" "$@"; }
cell 'user namespace: keep-id, by the annotation' '1000 0 .* 1000 1000 1' kept_id sh -c 'echo $(id -u) $(cat /proc/self/uid_map)'
mapped='userns_options: {mode: 0, uids: [{host_id: 300000, container_id: 0, length: 65536}], gids: [{host_id: 300000, container_id: 0, length: 65536}]}'
if any_wanted 'user namespace: by the CRI' 'a volume in it is idmapped' 'exec and update in it' 'a pod with a user namespace stops'; then
  mkdir -p "$WORK/owned" && echo 'of root' >"$WORK/owned/in"
  pod=$(pod_start apart ".linux.security_context.namespace_options += {$mapped}")
  it=$(start "$pod" mapped ".linux.security_context.namespace_options += {$mapped} | .mounts = [{container_path: \"/v\", host_path: \"$WORK/owned\",
    uidMappings: [{host_id: 300000, container_id: 0, length: 65536}], gidMappings: [{host_id: 300000, container_id: 0, length: 65536}]}]" sleep 1000)
  cell 'user namespace: by the CRI' ' 0 300000 65536' in_pod "$it" sh -c 'tr -s " " </proc/self/uid_map'
  owned() { in_pod "$it" sh -c 'stat -c %u /v/in; touch /v/made'; stat -c %u "$WORK/owned/made"; }
  cell 'a volume in it is idmapped' $'0\n0' owned
  used() { crictl exec "$it" id -u && crictl update --memory 67108864 "$it" >/dev/null && cgroup_file "$it" memory.limit_in_bytes memory.max && stat -c %u "/proc/$(inspect "$it" .info.pid)"; }
  cell 'exec and update in it' $'0\n67108864\n300000' used
  stops() { in_pod "$it" id -u; pod_end "$pod" && crictl pods -q | grep -c "$pod"; :; }
  cell 'a pod with a user namespace stops' $'0\n0' stops
fi

cell 'sysctls of a pod' '3000' annotated '.linux.sysctls = {"net.core.somaxconn": "3000"}' cat /proc/sys/net/core/somaxconn
of_host='namespace_options: {network: 2, pid: 2}'
host_network() { local container=".linux.security_context += {$of_host}"; annotated "del(.hostname) | .linux.security_context += {$of_host}" sh -c 'for k in net pid; do readlink /proc/self/ns/$k; done'; }
cell "the host's network and pids" "$(for k in net pid; do readlink /proc/self/ns/$k | sed 's/[][]/\\&/g'; done)" host_network
privileged() { local container="$(security 'privileged: true')"; annotated '.linux.security_context.privileged = true' grep -E 'CapEff|Seccomp:' /proc/self/status; }
cell 'a privileged pod' $'CapEff:	000001[0-9a-f]+\nSeccomp:	0' privileged
pid_of_pod() { local container='.linux.security_context.namespace_options.pid = 0'; annotated '.linux.security_context.namespace_options.pid = 0' sh -c 'tr "\0" " " </proc/1/cmdline'; }
cell 'pid namespace: that of the pod, with its infra container' '/bin/sh -c trap.*' pid_of_pod
pid_of() { say "$(security "namespace_options: {pid: $1${2:+, target_id: \"$2\"}}")" sh -c 'tr "\0" " " </proc/1/cmdline'; }
cell 'pid namespace: the container has its own' '(sh -c )?tr .*' pid_of 1
cell 'pid namespace: that of another container (kubectl debug)' 'sleep 1000 ' pid_of 3 "$one"

follows() { # HostToContainer: what the host mounts later is seen
  local id; mkdir -p "$WORK/volume" && mount -t tmpfs tmpfs "$WORK/volume" && mount --make-shared "$WORK/volume" && mkdir "$WORK/volume/later"
  id=$(start "$main" "follows$1" ".mounts = [{container_path: \"/v\", host_path: \"$WORK/volume\", propagation: $1}]" sleep 1000) && mount -t tmpfs later "$WORK/volume/later" && in_pod "$id" sh -c 'grep -c "^later /v/later " /proc/mounts; :'
  crictl rm -f "$id" >/dev/null; umount -R "$WORK/volume"
}
cell 'mount propagation: HostToContainer' '1' follows 1
cell 'mount propagation: None' '0' follows 0
if any_wanted 'a read-only mount' 'a recursive read-only mount'; then
  mkdir -p "$WORK/tree/below" && mount -t tmpfs tmpfs "$WORK/tree/below"
  written() { say ".mounts = [{container_path: \"/v\", host_path: \"$WORK/tree\", readonly: true$1}]" sh -c 'touch /v/x 2>&1; touch /v/below/x 2>&1 && echo below'; rm -f "$WORK/tree/below/x"; }
  cell 'a read-only mount' $'.*Read-only file system\nbelow' written ''
  cell 'a recursive read-only mount' $'.*Read-only file system\n.*Read-only file system' written ', recursive_read_only: true'
  umount "$WORK/tree/below"
fi
cell 'an image as a volume' $'/img/etc\n.*Read-only file system' say ".mounts = [{container_path: \"/img\", image: {image: \"$image\", user_specified_image: \"$image\"}, readonly: true}]" sh -c 'ls -d /img/etc; touch /img/x 2>&1'
echo '{"cdiVersion":"0.6.0","kind":"rig.test/thing","devices":[{"name":"one","containerEdits":{"env":["THING=one"],"deviceNodes":[{"path":"/dev/thing","hostPath":"/dev/full","type":"c","major":1,"minor":7}]}}]}' >"$WORK/cdi/thing.json"
cell 'a CDI device' $'one\nc' say '.CDI_devices = [{name: "rig.test/thing=one"}]' sh -c 'echo $THING; ls -l /dev/thing | cut -c1'
many() { local i pids=(); for i in $(seq "$1"); do (pod=$(pod_start "many$i") && start "$pod" it '' sleep 1000 >>"$WORK/many"; pod_end "$pod") & pids+=($!); done; wait "${pids[@]}"; grep -c . "$WORK/many"; }
cell '10 pods at once' '10' many 10

if any_wanted 'checkpoint' 'restore into another pod: it goes on' 'a restored one: exec, stop'; then
  if criu check --feature mem_dirty_track >/dev/null 2>&1; then
    it=$(start "$main" counts '' sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done')
    eventually grep -q ' 10$' "$WORK/logs/counts.log"
    dumped() { crictl checkpoint --export="$WORK/dump.tar" "$it" >/dev/null && tar -tf "$WORK/dump.tar" | grep -cxE 'checkpoint/inventory.img|spec.dump|config.dump' && status "$it"; }
    cell 'checkpoint' $'3\nRUNNING 0' dumped
    cp "$WORK/logs/counts.log" "$WORK/counted"
    crictl rm -f "$it" >/dev/null
    pod=$(pod_start restored)
    it=$(start "$pod" counts ".image = {image: \"$WORK/dump.tar\", user_specified_image: \"$WORK/dump.tar\"} | del(.command)" 2>"$WORK/restore.log")
    # CRI-O takes no name of a log for it. The numbers go on; if small ones are in there, they are those of before.
    goes_on() { log=$(inspect "$it" .status.logPath) && eventually further && { [ "$(sed -n '1s/.* //p' "$log")" -gt 5 ] || head -n 9 "$log" | cmp - <(head -n 9 "$WORK/counted"); } && status "$it" && inspect "$it" .info.restored || cat "$WORK/restore.log"; }
    further() { [ "$(sed -n '$s/.* //p' "$log")" -gt "$(($(sed -n '$s/.* //p' "$WORK/counted") + 3))" ] && sed 's/.* //' "$log" | sort -nuc; }
    cell 'restore into another pod: it goes on' $'RUNNING 0\ntrue' goes_on
    restored_stops() { in_pod "$it" hostname && crictl stop --timeout 1 "$it" >/dev/null && status "$it"; }
    cell 'a restored one: exec, stop' $'.*\nEXITED 137' restored_stops
    pod_end "$pod"
  else
    for name in 'checkpoint' 'restore into another pod: it goes on' 'a restored one: exec, stop'; do ! wanted "$name" || report skip "$name" 'CRIU and this kernel do not get on; see conformance/vm'; done
  fi
fi

# Trouble: CRI-O restarts, conmon dies. In this shell, for the new daemon is to be waited for.
if any_wanted 'CRI-O restarts: pod and container go on' 'CRI-O restarts: what ended meanwhile' 'conmon dies: the container can be removed, nothing is left' 'a container ends while somebody is in it'; then
  pod=$(pod_start trouble)
  it=$(start "$pod" lasting '' sh -c 'trap "exit 9" TERM; while :; do sleep 0.1; done')
  end_daemon "$daemon"
  crio_start
  lasted() { in_pod "$it" hostname && crictl inspectp "$pod" | jq -r .status.state && crictl stop --timeout 10 "$it" >/dev/null && status "$it"; }
  cell 'CRI-O restarts: pod and container go on' $'trouble\nSANDBOX_READY\nEXITED 9' lasted
  away() { # what ends while CRI-O is away is known when it is back
    inspect "$it" '.status.exitCode'
  }
  it=$(start "$pod" away '' sh -c 'sleep 3; exit 6')
  end_daemon "$daemon"
  sleep 4
  crio_start
  cell 'CRI-O restarts: what ended meanwhile' '6' away
  orphaned() { # a container without its monitor is ended by CRI-O, or by hand
    local id
    id=$(start "$pod" orphan '' sleep 6001) && pkill -KILL -f "conmon.* -c $id " && echo alone && crictl rm -f "$id" >/dev/null && pgrep -fx 'sleep 6001'; "$RUNTIME" --root "/run/$NAME" list -q | grep -c "$id"
    :
  }
  cell 'conmon dies: the container can be removed, nothing is left' $'alone\n0' orphaned
  session() { # the pod ends while somebody is in it
    local id
    id=$(start "$pod" busy '' sleep 1000) && { crictl exec "$id" sleep 6002 >/dev/null 2>&1 & } && eventually pgrep -fx 'sleep 6002' && echo inside && crictl rm -f "$id" >/dev/null; sleep 0.5; pgrep -fcx 'sleep 6002'; :
  }
  cell 'a container ends while somebody is in it' $'inside\n0' session
  pod_end "$pod"
fi
