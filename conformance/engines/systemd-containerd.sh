# Cells of systemd.sh: containerd with systemd's cgroups, through ctr. The CRI plugin's are cri.sh's.

cat >"$WORK/config.toml" <<CONF
version = 2
root = "$WORK/croot"
state = "$WORK/cstate"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "$WORK/containerd.sock"
CONF
containerd --config "$WORK/config.toml" >"$WORK/containerd.log" 2>&1 &
containerd=$!
c() { timeout -k 5 120 ctr --address "$WORK/containerd.sock" "$@"; }
stop_containerd() { local id; for id in $(c task ls -q 2>/dev/null); do c task delete --force "$id"; done; end_daemon $containerd; }
stops+=(stop_containerd)
eventually c version || eventually c version || { tail -5 "$WORK/containerd.log"; echo "Bail out! containerd does not answer"; exit 2; }
make_image "$WORK/rootfs" "$WORK/box.tar"
c image import "$WORK/box.tar" >/dev/null || { echo "Bail out! no image"; exit 2; }
image=localhost/box:1 R="--runc-binary $RUNTIME --runc-systemd-cgroup"
ctr_run() { c run --rm $R "$@"; }
begin() { local id=$1; shift; c run -d $R --cgroup "rig.slice:rig:$id" --log-uri "file://$WORK/$id.log" "$@" $image "$id" sleep 1000; }
finish() { c task delete --force "$1"; c container rm "$1"; }

cell 'containerd: run in a slice' '.*/rig.slice/rig-a.scope.*' ctr_run --cgroup rig.slice:rig:a $image a cat /proc/self/cgroup
begin worker --memory-limit 67108864 --cpus 0.5 >/dev/null
cell 'containerd: limits are properties' $'Slice=rig.slice\nMemoryMax=67108864\nCPUQuotaPerSecUSec=500ms\nControlGroup=/rig.slice/rig-worker.scope' shown rig-worker.scope Slice MemoryMax CPUQuotaPerSecUSec ControlGroup
cell 'containerd: limits in the cgroup' $'memory.max 67108864\ncpu.max 50000 100000' files /rig.slice/rig-worker.scope memory.max cpu.max
cell 'containerd: exec is in the scope' '.*/rig.slice/rig-worker.scope.*' c task exec --exec-id x1 worker cat /proc/self/cgroup
cpaused() { c task pause worker && c task ls | awk '/worker/ { print $3 }'; c task resume worker && c task ls | awk '/worker/ { print $3 }'; }
cell 'containerd: pause, resume' $'PAUSED\nRUNNING' cpaused
cell 'containerd: delete, and the scope is gone' '' eval 'finish worker >/dev/null 2>&1; scopes "rig-*"'
in_part || return 0
cell -s 42 'containerd: the exit status passes through' '' ctr_run --cgroup rig.slice:rig:b $image b sh -c 'exit 42'
begin counted --memory-limit 67108864 >/dev/null
cell 'containerd: metrics' '.*67108864.*' c task metrics --format json counted
ckilled() { c task kill -s SIGKILL counted && eventually sh -c "systemctl show rig-counted.scope -P ActiveState | grep -vx active"; finish counted >/dev/null 2>&1; scopes 'rig-*'; }
cell 'containerd: kill, delete' '' ckilled
ended_scope() { ! systemctl -q is-active rig-orphan.scope; }
shim_dies() { begin orphan >/dev/null || return; kill -KILL "$(pgrep -f 'containerd-shim-runc-v2.*-id orphan')"; { eventually ended_scope || eventually ended_scope || eventually ended_scope; } && echo gone; finish orphan >/dev/null 2>&1; }
cell 'containerd: the shim dies: the scope goes' 'gone' shim_dies
