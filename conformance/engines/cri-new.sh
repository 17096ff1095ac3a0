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
if [ "$CGROUP" = 2 ]; then cell 'cgroup_writable' '1' writable; elif wanted cgroup_writable; then report skip cgroup_writable 'containerd gives a writable cgroup on cgroup v2 alone'; fi
pod_end "$main"
