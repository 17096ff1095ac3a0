# Part of critest.sh: containerd with its CRI plugin, and NRI where it has it.
cat >"$WORK/config.toml" <<CONF
version = 2
root = "$WORK/root"
state = "$WORK/state"
[grpc]
  address = "$socket"
[plugins."io.containerd.nri.v1.nri"]
  disable = false
  socket_path = "$WORK/nri.sock"
  plugin_path = "$WORK/nri"
  plugin_config_path = "$WORK/nri.d"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.9"
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  enable_unprivileged_ports = false
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$WORK/certs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$WORK/cni"
    conf_dir = "$WORK/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "$NAME"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.$NAME]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.$NAME.options]
        BinaryName = "$used"
CONF
[ "$(major containerd --version)" -lt 2 ] || NRI_SOCKET=$WORK/nri.sock
containerd --config "$WORK/config.toml" >"$WORK/daemon.log" 2>&1 &
daemon=$!
