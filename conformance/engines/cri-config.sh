# The daemon's configuration for cri.sh: containerd 1 in its version 2, containerd 2 in its version 3, each with the runtime as a handler of its name.
containerd=$(major containerd --version)
if [ "$containerd" -lt 2 ]; then
  cat >"$WORK/config.toml" <<CONF
version = 2
root = "$WORK/root"
state = "$WORK/state"
[grpc]
  address = "$WORK/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$WORK/cni"
    conf_dir = "$WORK/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "$NAME"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.$NAME]
      runtime_type = "io.containerd.runc.v2"
      pod_annotations = ["rig.*"]
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.$NAME.options]
        BinaryName = "$RUNTIME"
        SystemdCgroup = $systemd
CONF
else
  # handler NAME [LINE...]: one more handler
  handler_of() {
    local name=$1; shift
    local table="plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.$name"
    printf '%s\n' "[$table]" 'runtime_type = "io.containerd.runc.v2"' 'pod_annotations = ["rig.*"]' "$@" "[$table.options]" "BinaryName = \"$RUNTIME\"" "SystemdCgroup = $systemd"
  }
  cat >"$WORK/config.toml" <<CONF
version = 3
root = "$WORK/root"
state = "$WORK/state"
[grpc]
  address = "$WORK/containerd.sock"
[plugins."io.containerd.nri.v1.nri"]
  socket_path = "$WORK/nri.sock"
  plugin_path = "$WORK/nri"
  plugin_config_path = "$WORK/nri.d"
[plugins."io.containerd.grpc.v1.cri"]
  disable_tcp_service = true
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "localhost/pause:1"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  cdi_spec_dirs = ["$WORK/cdi"]
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dir = "$WORK/cni"
    conf_dir = "$WORK/net.d"
  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "$NAME"
$(handler_of "$NAME")
$(handler_of sandboxed 'sandboxer = "podsandbox"')
$([ "$CGROUP" = 1 ] || handler_of writable 'cgroup_writable = true') # containerd starts with it on cgroup v2 alone
CONF
fi
