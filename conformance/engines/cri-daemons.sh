# The daemons that speak Kubernetes' CRI, as cri.sh, critest.sh and crio.sh start them: one runtime below each, everything in $WORK. Sourced after engine_main.
#
#   paper_network              CNI plugins that give an address which exists on paper, in $WORK/cni and $WORK/net.d
#   containerd_config PROGRAM PAUSE-IMAGE [CRI-LINES [HANDLER-LINES]]   writes $WORK/config.toml, and $containerd is the first number of its version; containerd_handler prints another handler
#   crio_config PROGRAM PAUSE-IMAGE [RUNTIME-LINES [HANDLER-LINES]]     writes $WORK/crio.conf; $CRIO is a folder with crio, pinns and, if it is to be another, conmon
#   registry_start ROOTFS      the stand-in registry (cri-registry.mjs): $registry is its process, $port where it is
#   containerd_start, crio_start   $daemon answers at $socket, what it says is in $WORK/daemon.log
#   scored_runtime             $used is $RUNTIME, or where the machine withholds CAP_SYS_RESOURCE, a wrapper that makes no oomScoreAdj negative
#   cri METHOD JSON            one call (cri.mjs); after cri_serve by a Node that runs already ($server)

cri() {
  local answer fd
  if [ ! -s "$WORK/cri.port" ] || [[ $1 != [A-Z]* ]]; then timeout -k 5 120 node "$here/cri.mjs" "$socket" "$@"; return; fi
  exec {fd}<>"/dev/tcp/127.0.0.1/$(cat "$WORK/cri.port")" || return
  printf '%s %s\n' "$1" "$(tr '\n' ' ' <<<"${2:-{\}}")" >&"$fd"
  IFS= read -r answer <&"$fd"
  exec {fd}>&-
  [[ $answer != 0\ * ]] || { echo "${answer#0 }"; return; }
  echo "${answer#1 }" >&2
  return 1
}
cri_serve() {
  node "$here/cri.mjs" "$socket" serve "$WORK/cri.port" >"$WORK/cri.log" 2>&1 </dev/null &
  server=$!
  eventually test -s "$WORK/cri.port" || eventually test -s "$WORK/cri.port" || { cat "$WORK/cri.log"; echo 'Bail out! no client'; exit 2; }
}

paper_network() {
  mkdir -p "$WORK/cni" "$WORK/net.d"
  printf '#!/bin/sh\n[ "$CNI_COMMAND" != ADD ] || [ "$CNI_IFNAME" = lo ] || nsenter --net="$CNI_NETNS" ip link set lo up 2>/dev/null\ncase $CNI_COMMAND in\nVERSION) echo %s ;;\nADD|CHECK) echo %s ;;\nesac\n' \
    "'{\"cniVersion\":\"0.4.0\",\"supportedVersions\":[\"0.3.1\",\"0.4.0\"]}'" \
    "'{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\",\"address\":\"10.88.0.5/16\"}]}'" >"$WORK/cni/rig"
  cp "$WORK/cni/rig" "$WORK/cni/loopback"
  chmod 755 "$WORK/cni/"*
  echo '{"cniVersion":"0.4.0","name":"rig","plugins":[{"type":"rig"}]}' >"$WORK/net.d/10-rig.conflist"
}

registry_start() {
  node "$here/cri-registry.mjs" "$1" "$WORK/port" >"$WORK/registry.log" 2>&1 &
  registry=$!
  eventually test -s "$WORK/port" || eventually test -s "$WORK/port" || eventually test -s "$WORK/port" || { cat "$WORK/registry.log"; echo 'Bail out! no registry'; exit 2; }
  port=$(cat "$WORK/port")
}

scored_runtime() {
  used=$RUNTIME
  ! setpriv --dump | grep -q sys_resource || return 0
  mkdir "$WORK/wrap"
  used=$WORK/wrap/$NAME
  cat >"$used" <<WRAP
#!/bin/bash
words=("\$@")
while [ \$# -gt 0 ]; do case \$1 in --bundle | -b) bundle=\$2 ;; --bundle=*) bundle=\${1#*=} ;; create | run) creates=yes ;; esac; shift; done
[ -z "\${creates:-}" ] || { jq -c 'if (.process.oomScoreAdj // 0) < 0 then .process.oomScoreAdj = 0 else . end' "\${bundle:-.}/config.json" >"\${bundle:-.}/config.new" && mv "\${bundle:-.}/config.new" "\${bundle:-.}/config.json"; }
exec $RUNTIME "\${words[@]}"
WRAP
  chmod 755 "$used"
}

# containerd 1 has its configuration in version 2, containerd 2 in version 3.
containerd_handler() { # containerd_handler NAME PROGRAM [LINES]
  local plugin=io.containerd.cri.v1.runtime
  [ "$containerd" -ge 2 ] || plugin=io.containerd.grpc.v1.cri
  cat <<CONF
    [plugins."$plugin".containerd.runtimes.$1]
      runtime_type = "io.containerd.runc.v2"
${3:-}
      [plugins."$plugin".containerd.runtimes.$1.options]
        BinaryName = "$2"
        SystemdCgroup = ${systemd:-false}
CONF
}
containerd_config() {
  containerd=$(major containerd --version)
  socket=$WORK/containerd.sock
  if [ "$containerd" -lt 2 ]; then containerd_1 "$@"; else containerd_2 "$@"; fi >"$WORK/config.toml"
}
containerd_1() {
  cat <<CONF
version = 2
root = "$WORK/root"
state = "$WORK/state"
[grpc]
  address = "$socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$2"
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  disable_tcp_service = true
${3:-}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$WORK/cni"
    conf_dir = "$WORK/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "$NAME"
$(containerd_handler "$NAME" "$1" "${4:-}")
CONF
}
containerd_2() {
  cat <<CONF
version = 3
root = "$WORK/root"
state = "$WORK/state"
[grpc]
  address = "$socket"
[plugins."io.containerd.nri.v1.nri"]
  socket_path = "$WORK/nri.sock"
  plugin_path = "$WORK/nri"
  plugin_config_path = "$WORK/nri.d"
[plugins."io.containerd.grpc.v1.cri"]
  disable_tcp_service = true
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "$2"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  cdi_spec_dirs = ["$WORK/cdi"]
${3:-}
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dir = "$WORK/cni"
    conf_dir = "$WORK/net.d"
  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "$NAME"
$(containerd_handler "$NAME" "$1" "${4:-}")
CONF
}
containerd_start() {
  containerd --config "$WORK/config.toml" >>"$WORK/daemon.log" 2>&1 &
  daemon_answers containerd
}

crio_config() {
  local conmon
  socket=$WORK/crio.sock
  conmon=$(PATH=$CRIO:$PATH command -v conmon)
  mkdir -p "$WORK"/{hooks.d,exits,attach,ns,policies,cdi,logs}
  echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$WORK/policy.json"
  cat >"$WORK/crio.conf" <<CONF
[crio]
  root = "$WORK/storage"
  runroot = "$WORK/runroot"
  storage_driver = "overlay"
  log_dir = "$WORK/logs"
  version_file = "$WORK/version"
  version_file_persist = "$WORK/version.kept"
  clean_shutdown_file = "$WORK/clean"
[crio.api]
  listen = "$socket"
[crio.runtime]
  default_runtime = "$NAME"
  cgroup_manager = "$(${systemd:-false} && echo systemd || echo cgroupfs)"
  pinns_path = "$CRIO/pinns"
  namespaces_dir = "$WORK/ns"
  hooks_dir = ["$WORK/hooks.d"]
  cdi_spec_dirs = ["$WORK/cdi"]
  container_exits_dir = "$WORK/exits"
  container_attach_socket_dir = "$WORK/attach"
  irqbalance_config_restore_file = "disable"
  apparmor_profile = "unconfined"
${3:-}
  [crio.runtime.runtimes.$NAME]
    runtime_path = "$1"
    runtime_type = "oci"
    runtime_root = "/run/$NAME"
    monitor_path = "$conmon"
    monitor_cgroup = "$(${systemd:-false} && echo system.slice || echo pod)"
${4:-}
[crio.image]
  pause_image = "$2"
  pause_command = ""
  signature_policy_dir = "$WORK/policies"
[crio.network]
  network_dir = "$WORK/net.d"
  plugin_dirs = ["$WORK/cni"]
[crio.nri]
  enable_nri = true
  nri_listen = "$WORK/nri.sock"
  nri_plugin_dir = "$WORK/nri"
  nri_plugin_config_dir = "$WORK/nri.d"
CONF
}
# CRI-O reads its registries in /etc/containers alone (and restores nothing with a signature_policy of another place), and keeps what its CNI plugins said in /var/lib/cni: both are others in this mount namespace.
crio_folders() {
  local name
  mkdir -p "$WORK/etc-containers/registries.conf.d" "$WORK/var-cni" /etc/containers /var/lib/cni
  [ ! -e /etc/containers/storage.conf ] || cp /etc/containers/storage.conf "$WORK/etc-containers"
  cp "$WORK/policy.json" "$WORK/etc-containers"
  for name in registry.k8s.io k8s.gcr.io gcr.io; do
    printf '[[registry]]\nprefix = "%s"\nlocation = "127.0.0.1:%s"\ninsecure = true\n' "$name" "$port"
  done >"$WORK/etc-containers/registries.conf"
  mount --bind "$WORK/etc-containers" /etc/containers
  mount --bind "$WORK/var-cni" /var/lib/cni
  ENGINE_MOUNTS=$'/etc/containers\n/var/lib/cni'
}
crio_start() {
  "$CRIO/crio" --config "$WORK/crio.conf" --config-dir '' >>"$WORK/daemon.log" 2>&1 </dev/null &
  daemon_answers CRI-O
}

daemon_answers() {
  daemon=$!
  for _ in 1 2 3; do eventually cri Version && return; done
  tail -5 "$WORK/daemon.log"
  echo "Bail out! $1 does not answer"
  exit 2
}
