# Cells of podman.sh and rootless.sh: more of podman's commands, pods and play kube; `system reset` is the last of all.

mkdir -p "$WORK/shared"
cell 'info tells the version of the runtime' ".*$NAME version .*" p info --format '{{.Host.OCIRuntime.Version}}'
cell '--rm leaves no container' 'done' eval 'run --name fleeting box echo done; p ps -a --format "{{.Names}}" | grep fleeting; :'
p run -d --name host1 --network none --env PLACE=here box sh -c 'trap "exit 0" TERM; echo ready; while read -r -t 1000 line; do :; done; while :; do sleep 0.2; done' >/dev/null
eventually logs_have host1 ready
exec_fd() { exec 3<<<'handed on'; p exec --preserve-fds 1 host1 sh -c 'cat <&3'; }
cell 'exec --preserve-fds' 'handed on' exec_fd
cell 'exec has the environment of the container' 'here' p exec host1 sh -c 'echo $PLACE'
exec_namespaces() { local k; for k in mnt pid ipc uts net cgroup user; do [ "$(p exec host1 readlink /proc/self/ns/$k)" = "$(p exec host1 readlink /proc/1/ns/$k)" ] || echo "$k differs"; done; echo compared; }
cell 'exec is in every namespace of the container' 'compared' exec_namespaces
exec_typed() {
  timeout -k 5 $deadline expect -c '
    log_user 0; set timeout 30; set stty_init "rows 33 cols 99"
    spawn {*}[split $env(PODMAN) " "] exec -it host1 sh
    expect "# "; send "stty size\r"; expect "33 99" { puts "sized" }
    send "exit 5\r"; expect eof; exit [lindex [wait] 3]'
}
export PODMAN=$P
cell -s 5 'a person types into exec -it' 'sized' exec_typed
many_execs() { local i pids=(); : >"$WORK/execs"; for i in 1 2 3 4 5 6 7 8; do p exec host1 echo "$i" >>"$WORK/execs" & pids+=($!); done; wait "${pids[@]}"; sort "$WORK/execs" | tr '\n' ' '; }
cell '8 execs at once' '1 2 3 4 5 6 7 8 ' many_execs
detach_keys() {
  p run -d -it --name kept --network none box sh >/dev/null
  timeout -k 5 $deadline expect -c '
    log_user 0; set timeout 20
    spawn {*}[split $env(PODMAN) " "] attach kept
    send "echo sum=\$((40+2))\r"; expect "sum=42" { puts "attached" }
    send "\x10\x11"; expect eof'
  p inspect --format '{{.State.Status}}' kept; p rm -f -t 0 kept >/dev/null
}
cell 'attach, and leave by the detach keys' $'attached\nrunning' detach_keys
cell 'top with descriptors' $'PID +COMMAND\n1 +sh' eval 'p top host1 pid comm | head -2'
logged() { p run --name log --network none box sh -c 'echo one; echo two >&2; sleep 0.2; echo three' >/dev/null 2>&1; p logs --tail 1 log 2>/dev/null; p logs log 2>/dev/null | wc -l; p rm log >/dev/null; }
cell 'logs, --tail' $'three\n2' logged
followed() { p run -d --name talk --network none box sh -c 'echo a; sleep 1; echo b' >/dev/null; p logs -f talk; p rm -f -t 0 talk >/dev/null; }
cell 'logs -f ends with the container' $'a\nb' followed
copied_out() { p exec host1 sh -c 'mkdir /tree; echo leaf >/tree/leaf'; p cp host1:/tree - | tar -xO tree/leaf; }
cell 'cp out of a running container' 'leaf' copied_out
copied_stopped() { p create --name still --network none box cat /given >/dev/null; echo given >"$WORK/shared/given"; p cp "$WORK/shared/given" still:/given && p start -a still; p rm still >/dev/null; }
cell 'cp into one that does not run yet' 'given' copied_stopped
updated() { p update --memory 80m --cpus 0.3 --pids-limit 55 host1 >/dev/null 2>"$WORK/update" || p update --memory 80m --cpus 0.3 host1 >/dev/null || return; p exec host1 cat "$(limit memory.limit_in_bytes memory.max)"; p exec host1 cat "$(limit cpu.cfs_quota_us cpu.max)"; }
cell 'update' $'83886080\n30000( 100000)?' updated
waited() { p run -d --name short --network none box sh -c 'sleep 1; exit 9' >/dev/null; p wait --condition exited short; p inspect --format '{{.State.ExitCode}}' short; p rm short >/dev/null; }
cell 'wait' $'-?[0-9]+\n9' waited
renamed() { p rename host1 host2 && p exec host2 echo by a new name; p rename host2 host1; }
cell 'rename' 'by a new name' renamed
exported() { p export -o "$TMPDIR/export.tar" host1 && tar -tf "$TMPDIR/export.tar" | grep -x 'tree/leaf'; }
cell 'export' 'tree/leaf' exported
paused_removed() { p run -d --name frozen --network none box sleep 100 >/dev/null && p pause frozen >/dev/null && p rm -f -t 0 frozen >/dev/null && p ps -aq --filter name=frozen; }
cell 'rm -f of a paused container' '' paused_removed
again_always() { p run -d --name always --network none --restart always box sh -c 'echo life; sleep 0.3' >/dev/null; eventually lives 3 && echo lives on; p rm -f -t 0 always >/dev/null; }
lives() { [ "$(p logs always | grep -c life)" -ge "$1" ]; }
cell '--restart always' 'lives on' again_always
unhealthy() {
  p run -d --name h2 --network none --health-cmd 'test -e /no-such' --health-retries 1 --health-interval disable box sleep 100 >/dev/null
  p healthcheck run h2 >/dev/null; echo "status $?"; p inspect --format '{{.State.Healthcheck.Status}}' h2; p rm -f -t 0 h2 >/dev/null
}
cell 'a healthcheck that fails' $'status 1\nunhealthy' unhealthy
conmon_dies() { # without its monitor a container can still be ended; podman then calls no "delete"
  local id; id=$(p run -d --name orphan --network none box sleep 1234) && kill -KILL "$(p inspect --format '{{.State.ConmonPid}}' orphan)"; sleep 0.3
  p rm -f -t 0 orphan >/dev/null 2>&1; p ps -aq --filter name=orphan; pgrep -fx 'sleep 1234'; [ -n "${U:-}" ] || "$RUNTIME" delete -f "$id"
}
cell 'rm -f after conmon was killed' '' conmon_dies
rebooted() { p run --name phoenix --network none box echo rises >/dev/null; rm -rf "$WORK/libpod/alive" "$WORK/storage/tmp/alive" "/run/$NAME/"* ${ENGINE_STATES:-}; p start -a phoenix; p rm phoenix >/dev/null; }
p rm -f -t 0 host1 >/dev/null 2>&1
cell 'start after a reboot has emptied /run' 'rises' rebooted
in_userns() { p run -d --name mapped --network none --ipc none --uidmap 0:200000:2000 box sleep 100 >/dev/null && p exec -u 7 mapped sh -c 'id -u; cat /proc/self/uid_map'; p rm -f -t 0 mapped >/dev/null; }
cell 'exec into a user namespace' $'7\n +0 +200000 +2000' in_userns
generated() { p create --name unit --network none box true >/dev/null; p generate systemd unit | grep -cE '^Exec(Start|Stop)='; p rm unit >/dev/null; }
cell 'generate systemd' '2' generated

p pod create --name team --infra-image localhost/box --infra-command 'sleep 1000' --network none --hostname team >/dev/null 2>&1
team() { p run -d --pod team --name "$1" box sh -c "echo $1; sleep 1000" >/dev/null; }
team t1; team t2
shared() { local k; for k in net ipc uts mnt pid; do [ "$(p exec t1 readlink /proc/1/ns/$k)" = "$(p exec t2 readlink /proc/1/ns/$k)" ] && echo "$k"; done; p exec t1 hostname; }
cell 'a pod: net, ipc and uts are shared, mnt and pid are not' $'net\nipc\nuts\nteam' shared
pod_state() { p pod inspect --format '{{.State}}' team; }
cell 'pod pause, unpause' $'Paused\nfrozen\nRunning\nthawed' eval 'p pod pause team >/dev/null; pod_state; freezer t2; p pod unpause team >/dev/null; pod_state; freezer t2'
cell 'pod stop, start' $'Exited\nRunning' eval 'p pod stop -t 0 team >/dev/null; pod_state; p pod start team >/dev/null; pod_state'
cell 'pod restart' 'Running' eval 'p pod restart team >/dev/null; pod_state'
pod_exited() { [ "$(pod_state)" = Exited ]; }
pod_killed() { local pid; pid=$(p inspect --format '{{.State.Pid}}' t1); pod_state; p pod kill team >/dev/null; eventually pod_exited; pod_state; [ "$pid" = 0 ] || [ -d "/proc/$pid" ] || echo gone; }
cell 'pod kill' $'Running\nExited\ngone' pod_killed
cell 'pod rm -f' '' eval 'p pod rm -f -t 0 team >/dev/null; p ps -aq --filter name=t1'
wanted 'pod rm -f' || p pod rm -f -t 0 team >/dev/null 2>&1
pod_pid() { p pod create --name one --share pid,net --infra-image localhost/box --infra-command 'sleep 1000' --network none >/dev/null && p run --rm --pod one box sh -c 'tr "\0" " " </proc/1/cmdline'; p pod rm -f -t 0 one >/dev/null; }
cell 'a pod that shares its pids' 'sleep 1000 ' pod_pid
pod_own() { p pod create --name own --network none >/dev/null && p run --rm --pod own box echo beside podman-pause; p pod rm -f -t 0 own >/dev/null; }
cell "a pod with podman's own infra image" 'beside podman-pause' pod_own

cat >"$WORK/shared/kube.yaml" <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {greeting: hello from a config map}
---
apiVersion: v1
kind: Pod
metadata: {name: kube}
spec:
  hostname: kubehost
  containers:
  - name: writer
    image: localhost/box:latest
    imagePullPolicy: Never
    command: [sh, -c, 'echo $GREETING >/data/said; sleep 1000']
    env: [{name: GREETING, valueFrom: {configMapKeyRef: {name: settings, key: greeting}}}]
    volumeMounts: [{name: data, mountPath: /data}]
    securityContext: {runAsUser: 0, capabilities: {drop: [ALL], add: [CHOWN]}}
  - name: reader
    image: localhost/box:latest
    imagePullPolicy: Never
    command: [sleep, '1000']
    volumeMounts: [{name: data, mountPath: /read, readOnly: true}]
  volumes: [{name: data, hostPath: {path: DATA, type: Directory}}]
YAML
mkdir -m 777 -p "$WORK/shared/data"
sed -i "s|path: DATA|path: $WORK/shared/data|" "$WORK/shared/kube.yaml"
played() {
  p play kube --network none "$WORK/shared/kube.yaml" >/dev/null || return
  eventually p exec kube-reader test -s /read/said; p exec kube-reader cat /read/said; p exec kube-reader hostname
  p exec kube-reader touch /read/x 2>/dev/null || echo read-only; p exec kube-writer grep CapEff /proc/1/status
  p pod ps --format '{{.Status}}' --filter name=kube
}
cell 'play kube: two containers, a volume, a config map' $'hello from a config map\nkubehost\nread-only\nCapEff:	0000000000000001\nRunning' played
cell 'play kube --down' '' eval 'p play kube --down "$WORK/shared/kube.yaml" >/dev/null; p pod ps -q; p ps -aq'
kube_again() { p create --name model --network none box sleep 1000 >/dev/null && p generate kube model | grep -vE '^#' >"$WORK/shared/model.yaml" && p rm model >/dev/null && p play kube --network none "$WORK/shared/model.yaml" >/dev/null && p ps --format '{{.Names}}' --filter name=model-pod-model; p pod rm -fa -t 0 >/dev/null; }
cell 'generate kube, and play it' 'model-pod-model' kube_again
pruned() { p create --name dust --network none box true >/dev/null; p init dust >/dev/null; p run --name dust2 --network none box true; p container prune -f >/dev/null; p ps -a --format '{{.Names}}'; p rm -fa -t 0 >/dev/null; }
cell 'container prune' '(dust)?' pruned
# podman 5 has an empty store again afterwards.
reset() {
  p system reset -f >/dev/null 2>&1
  ls -A "$WORK/root" "$WORK/storage/root" 2>/dev/null | grep -vcE ':$|^$|^(overlay|overlay-layers|storage.lock)$'
  find "$WORK/root" "$WORK/storage/root" -regextype posix-extended -regex '.*/[0-9a-f]{64}.*' 2>/dev/null
  :
}
cell 'system reset leaves nothing' '0' reset
