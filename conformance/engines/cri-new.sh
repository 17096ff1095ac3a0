# Cells of cri.sh about what containerd 2 brought.

handler() { cri Status | jq -r --arg name "$NAME" '.handlers[] | select(.name == $name) | .features | "\(.recursiveReadOnly // 0) \(.userNamespaces // 0)"'; }
cell "Status: what the runtime's features say, recursive read-only mounts and user namespaces" '1 1' handler
main=$(pod_start newer) # say's; the first one has gone

mapped='"userns":{"mode":0,"uids":[{"hostId":300000,"containerId":0,"length":65536}],"gids":[{"hostId":300000,"containerId":0,"length":65536}]}'
ids='"uids":[{"hostId":300000,"containerId":0,"length":65536}],"gids":[{"hostId":300000,"containerId":0,"length":65536}]'
if any_wanted 'a pod with a user namespace' 'a volume in it is idmapped' 'a pod with a user namespace stops'; then
  mkdir -p "$WORK/owned" && echo 'of root' >"$WORK/owned/in"
  pod=$(pod_start apart "\"security\":{\"namespaces\":{$mapped}}")
  one=$(start "$pod" mapped "$(security "\"namespaces\":{$mapped}"),\"mounts\":[{\"containerPath\":\"/v\",\"hostPath\":\"$WORK/owned\",$ids}]" sleep 1000)
  cell 'a pod with a user namespace' ' 0 300000 65536' in_pod "$one" sh -c 'tr -s " " </proc/self/uid_map'
  owned() { in_pod "$one" sh -c 'stat -c %u /v/in; touch /v/made'; stat -c %u "$WORK/owned/made"; }
  cell 'a volume in it is idmapped' $'0\n0' owned
  ended() { pod_end "$pod" && cri ListPodSandbox | jq -r --arg id "$pod" '[.items[]? | select(.id == $id)] | length'; }
  cell 'a pod with a user namespace stops' '0' ended
fi
if any_wanted 'a read-only mount' 'a recursive read-only mount'; then
  mkdir -p "$WORK/tree/below" && mount -t tmpfs tmpfs "$WORK/tree/below"
  written() { say "\"mounts\":[{\"containerPath\":\"/v\",\"hostPath\":\"$WORK/tree\",\"readonly\":1${1:+,$1}}]" sh -c 'touch /v/x 2>&1; touch /v/below/x 2>&1 && echo below'; rm -f "$WORK/tree/below/x"; }
  cell 'a read-only mount' $'.*Read-only file system\nbelow' written ''
  cell 'a recursive read-only mount' $'.*Read-only file system\n.*Read-only file system' written '"recursiveReadOnly":1'
  umount "$WORK/tree/below"
fi
image_volume() { say '"mounts":[{"containerPath":"/img","image":{"image":"localhost/box:1"},"readonly":1}]' sh -c 'ls -d /img/etc; touch /img/x 2>&1'; }
cell 'an image as a volume' $'/img/etc\n.*Read-only file system' image_volume
writable() {
  local id one NAME=writable
  id=$(pod_start delegate) && one=$(start "$id" delegated '' sleep 1000) && in_pod "$one" sh -c 'grep -c "/sys/fs/cgroup.* rw" /proc/self/mountinfo'
  pod_end "$id"
}
if [ "$CGROUP" = 2 ] && ! no_controllers; then cell 'cgroup_writable' '1' writable; elif wanted cgroup_writable; then report skip cgroup_writable 'containerd gives a writable cgroup on cgroup v2 alone, and a pod wants the controllers'; fi

cdi() {
  mkdir -p "$WORK/cdi" && echo '{"cdiVersion":"0.5.0","kind":"example.com/rig","devices":[{"name":"one","containerEdits":{"env":["RIG=one"],"deviceNodes":[{"path":"/dev/rig","hostPath":"/dev/null"}],"mounts":[{"hostPath":"/etc/hostname","containerPath":"/rig-file","options":["ro","bind"]}],"hooks":[{"hookName":"createContainer","path":"/bin/sh","args":["sh","-c","cat >/dev/null; echo hooked >'"$WORK"'/hooked"]}]}}]}' >"$WORK/cdi/rig.json"
  say '"cdiDevices":[{"image":"example.com/rig=one"}]' sh -c 'echo $RIG; ls -l /dev/rig | cut -c1; echo >/dev/rig && ls /rig-file' && cat "$WORK/hooked"
}
cell 'a CDI device: its node, mount, variable and hook' $'one\nc\n/rig-file\nhooked' cdi

# A plugin of the Node Resource Interface changes what the runtime is asked for, and asks for more later.
if any_wanted 'NRI: a plugin adjusts a new container' 'NRI: a plugin updates a running one' 'NRI: a plugin is told of all that happens'; then
  adjust="{\"env\":[{\"key\":\"RIG\",\"value\":\"nri\"}],\"mounts\":[{\"destination\":\"/by-nri\",\"type\":\"bind\",\"source\":\"$WORK/shared\",\"options\":[\"rbind\",\"ro\"]}],\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":333,\"soft\":222}],\"hooks\":{\"createRuntime\":[{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"cat >/dev/null; echo hooked >$WORK/by-nri\"]}]},\"linux\":{\"devices\":[{\"path\":\"/dev/by-nri\",\"type\":\"c\",\"major\":1,\"minor\":5,\"fileMode\":{\"value\":438}}],\"oomScoreAdj\":{\"value\":444},\"resources\":{\"memory\":{\"limit\":{\"value\":67108864}},\"pids\":{\"limit\":99}}}}"
  node "$here/nri.mjs" "$WORK/nri.sock" adjusted "$adjust" '{"memory":{"limit":{"value":50331648}}}' >"$WORK/told" 2>&1 &
  plugin=$!
  eventually grep -q synchronize "$WORK/told"
  one=$(start "$main" adjusted '' sleep 1000)
  adjusted() { in_pod "$one" sh -c 'echo $RIG; cat /by-nri/in; touch /by-nri/x 2>/dev/null || echo read-only; ulimit -n; head -c 1 /dev/by-nri | wc -c; cat $(grep -l "^sleep" /proc/[0-9]*/comm | head -n 1 | sed s/comm/oom_score_adj/)' && cat "$WORK/by-nri" && cgroup_file "$one" memory.limit_in_bytes memory.max && cgroup_file "$one" pids.max pids.max; }
  cell 'NRI: a plugin adjusts a new container' $'nri\nfrom outside\nread-only\n222\n1\n444\nhooked\n67108864\n99' adjusted
  lowered() { [ "$(cgroup_file "$one" memory.limit_in_bytes memory.max)" = 50331648 ]; }
  later() { kill -USR1 $plugin && eventually lowered && cgroup_file "$one" pids.max pids.max; }
  cell 'NRI: a plugin updates a running one' '99' later
  told() { cri StopContainer "{\"containerId\":\"$one\",\"timeout\":0}" >/dev/null && cri RemoveContainer "{\"containerId\":\"$one\"}" >/dev/null && eventually grep -q 'remove adjusted' "$WORK/told"; grep ' adjusted' "$WORK/told"; }
  cell 'NRI: a plugin is told of all that happens' $'create adjusted\ncreated adjusted\nstart adjusted\nstarted adjusted\nstop adjusted\nremove adjusted' told
  kill $plugin; wait $plugin
fi
pod_end "$main"

# The sandbox API: a pod is a sandbox of a controller. "podsandbox" is the one with a pause container; "shim" ends in containerd 2.1's own shim, before it asks a runtime.
if any_wanted 'sandbox API: a pod is a sandbox of its controller' 'sandbox API: a stopped pod is none'; then
  of_runtime() { "$RUNTIME" --root /run/containerd/runc/k8s.io list -q | grep -cE "^($1)\$"; }
  sandboxes() { ctr --address "$WORK/containerd.sock" -n k8s.io sandboxes ls | grep -cE "^$1 "; }
  pod=$(NAME=sandboxed pod_start controlled) && one=$(start "$pod" inside '' sleep 1000)
  controlled() { in_pod "$one" hostname && of_runtime "$one|$pod" && sandboxes "$pod"; }
  cell 'sandbox API: a pod is a sandbox of its controller' $'controlled\n2\n1' controlled
  uncontrolled() { cri StopPodSandbox "{\"podSandboxId\":\"$pod\"}" >/dev/null && status "$one"; pod_end "$pod"; of_runtime "$one|$pod"; sandboxes "$pod" || :; }
  cell 'sandbox API: a stopped pod is none' $'2 137\n0\n0' uncontrolled
fi
