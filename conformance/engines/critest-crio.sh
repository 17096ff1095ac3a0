# Part of critest.sh and crio.sh: CRI-O, from $CRIO and $PINNS, with all its state below $WORK.
[ -x "${CRIO:-}" ] && [ -x "${PINNS:-}" ] || { echo '1..0 # SKIP CRIO and PINNS name no programs; see the head of this script'; exit 0; }
mkdir -p "$WORK"/{crio/exits,crio.d,hooks.d,registries.d} /etc/containers
printf '{"default":[{"type":"insecureAcceptAnything"}]}\n' >"$WORK/policy.json"
cp "$WORK/policy.json" /etc/containers/policy.json 2>/dev/null
mount -t tmpfs tmpfs /etc/containers && cp "$WORK/policy.json" /etc/containers/ # in this mount namespace alone
mkdir -p /etc/containers/registries.conf.d
for from in registry.k8s.io k8s.gcr.io gcr.io; do printf '[[registry]]\nprefix = "%s"\nlocation = "127.0.0.1:%s"\ninsecure = true\n' $from "$port"; done >/etc/containers/registries.conf.d/rig.conf
cat >"$WORK/crio.conf" <<CONF
[crio]
root = "$WORK/storage"
runroot = "$WORK/runstorage"
storage_driver = "overlay"
log_dir = "$WORK/crio/logs"
version_file = "$WORK/crio/version"
version_file_persist = "$WORK/crio/version-persist"
clean_shutdown_file = "$WORK/crio/clean"
internal_wipe = false
[crio.api]
listen = "$socket"
stream_port = "0"
[crio.runtime]
default_runtime = "$NAME"
cgroup_manager = "cgroupfs"
conmon_cgroup = "pod"
pinns_path = "$PINNS"
namespaces_dir = "$WORK/crio/ns"
container_exits_dir = "$WORK/crio/exits"
container_attach_socket_dir = "$WORK/crio/attach"
hooks_dir = ["$WORK/hooks.d"]
enable_pod_events = true
drop_infra_ctr = false
[crio.runtime.runtimes.$NAME]
runtime_path = "$used"
runtime_type = "oci"
runtime_root = "/run/$NAME"
monitor_path = "$(command -v conmon)"
monitor_cgroup = "pod"
allowed_annotations = ["io.kubernetes.cri-o.userns-mode", "io.kubernetes.cri-o.Devices", "io.kubernetes.cri-o.ShmSize", "io.kubernetes.cri-o.UnifiedCgroup"]
[crio.image]
pause_image = "registry.k8s.io/pause:3.9"
signature_policy = "$WORK/policy.json"
[crio.network]
network_dir = "$WORK/net.d"
plugin_dirs = ["$WORK/cni"]
[crio.nri]
enable_nri = true
nri_listen = "$WORK/nri.sock"
nri_plugin_dir = "$WORK/nri"
nri_plugin_config_dir = "$WORK/nri.d"
[crio.metrics]
enable_metrics = false
CONF
NRI_SOCKET=$WORK/nri.sock
"$CRIO" --config "$WORK/crio.conf" --config-dir "$WORK/crio.d" >"$WORK/daemon.log" 2>&1 &
daemon=$!
