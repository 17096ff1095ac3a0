#!/usr/bin/env bash
# Kubernetes' own test of runtimes, critest, with one runtime below containerd's CRI plugin, or below CRI-O:
#   CRITEST=/path/to/critest [CRIO=/folder] RUNTIME=/path bash conformance/engines/critest.sh
# critest is brought and built by hand (github.com/kubernetes-sigs/cri-tools: `go test -c ./cmd/critest`), and so is CRI-O: crio and pinns are in the folder (conmon, too,
# if it is not to be the machine's). Needs root, containerd, node, jq, busybox-static, util-linux. The images are stand-ins, from a registry on 127.0.0.1
# (cri-registry.mjs), and pods get addresses by a CNI plugin of a few lines, in a network namespace where nothing else is. A spec of critest is a cell; what it skips is
# skipped. FOCUS: only specs that match. KEEP_LOG: a folder that gets both logs.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
engine_words "$@"
[ -x "${CRITEST:-}" ] || { echo '1..0 # SKIP CRITEST names no program; see the head of this script'; exit 0; }
CRITEST=$(readlink -f "$CRITEST")
[ -z "${CRIO:-}" ] || [ -x "$CRIO/crio" ] || { echo "1..0 # SKIP no crio in $CRIO"; exit 0; }
[ -z "${CRIO:-}" ] || export CRIO=$(readlink -f "$CRIO")
engine_main "$@"
set -u
. "$here/cri-daemons.sh"
ENGINE_CGROUPS='.*' # what a failed spec leaves is not the runtime's

# CNI: a veth a pod, and a port of the host is a process that copies.
mkdir -p "$WORK"/{cni,net.d,pods}
cat >"$WORK/cni/rig" <<CNI
#!/bin/bash
PATH=$PATH
config=\$(cat)
state=$WORK/pods/\$CNI_CONTAINERID
case \$CNI_COMMAND in
VERSION) echo '{"cniVersion":"0.4.0","supportedVersions":["0.3.1","0.4.0"]}' ;;
ADD)
  exec 9>$WORK/pods/lock && flock 9
  n=\$(( \$(cat $WORK/pods/last 2>/dev/null || echo 1) + 1 )) && echo \$n >$WORK/pods/last
  flock -u 9
  address=10.88.\$((n / 250)).\$((n % 250 + 2)) link=rig\$n
  ip link add \$link type veth peer name \$link.p >&2 && ip link set \$link.p netns "\$CNI_NETNS" name eth0 >&2 || exit 1
  ip link set \$link up && ip addr add 10.89.0.1/32 dev \$link && ip route add \$address dev \$link
  nsenter --net="\$CNI_NETNS" sh -c "ip link set lo up; ip addr add \$address/32 dev eth0; ip link set eth0 up; ip route add 10.89.0.1 dev eth0; ip route add default via 10.89.0.1" >&2
  echo \$link >\$state
  jq -r '.runtimeConfig.portMappings[]? | {from: (.hostPort // .HostPort // 0), to: (.containerPort // .ContainerPort)} | select(.from > 0) | "\(.from) \(.to)"' <<<"\$config" | while read -r from to; do
    setsid node -e "const net = require('net'); net.createServer((a) => { const b = net.connect(\$to, '\$address'); a.pipe(b).pipe(a); for (const s of [a, b]) s.on('error', () => { a.destroy(); b.destroy(); }); }).listen(\$from)" 9>&- >/dev/null 2>&1 </dev/null &
    echo \$! >>\$state.ports
  done
  echo "{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"\$CNI_NETNS\"}],\"ips\":[{\"version\":\"4\",\"interface\":0,\"address\":\"\$address/32\"}]}" ;;
DEL)
  [ ! -e \$state ] || ip link del \$(cat \$state) 2>/dev/null
  [ ! -e \$state.ports ] || kill \$(cat \$state.ports) 2>/dev/null
  rm -f \$state \$state.ports ;;
esac
exit 0
CNI
printf '#!/bin/sh\n[ "$CNI_COMMAND" != VERSION ] || { echo %s; exit; }\n[ "$CNI_COMMAND" != ADD ] || { nsenter --net="$CNI_NETNS" ip link set lo up; echo %s; }\n' \
  "'{\"cniVersion\":\"0.4.0\",\"supportedVersions\":[\"0.3.1\",\"0.4.0\"]}'" "'{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\",\"address\":\"127.0.0.1/8\"}]}'" >"$WORK/cni/loopback"
chmod 755 "$WORK/cni"/*
echo '{"cniVersion":"0.4.0","name":"rig","plugins":[{"type":"rig","capabilities":{"portMappings":true}}]}' >"$WORK/net.d/10-rig.conflist"

# The image: busybox as hard links, and what Debian's lacks or words otherwise.
make_rootfs "$WORK/rootfs"
(cd "$WORK/rootfs/bin" && for applet in *; do [ ! -L "$applet" ] || ln -f busybox "$applet"; done)
sed -i '/^app:/d; /^extra:/d' "$WORK"/rootfs/etc/{passwd,group} # user 1000 is another one here
printf 'nobody:x:65534:65534::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\ndefault-user:x:1000:1000::/:/bin/sh\n' >>"$WORK/rootfs/etc/passwd"
printf 'default-user:x:1000:\nnogroup:x:65534:\nusers:x:100:\nwww-data:x:33:\ngroup-defined-in-image:x:50000:default-user\n' >>"$WORK/rootfs/etc/group"
program() { rm -f "$WORK/rootfs/bin/$1"; cat >"$WORK/rootfs/bin/$1"; chmod 755 "$WORK/rootfs/bin/$1"; }
program sh <<'SH'
#!/bin/busybox ash
# Debian's runs its applets without a look at their files, and calls itself by another name.
case $1/$2 in -c/*[!a-z]*) ;; -c/?*) [ ! -e "/bin/$2" ] || [ -x "/bin/$2" ] || { echo "/bin/sh: $2: Permission denied" >&2; exit 126; } ;; esac
[ $# != 2 ] || [ "$1" != -c ] || exec /bin/busybox ash -c "$2" /bin/sh
exec /bin/busybox ash "$@"
SH
program pgrep <<'SH'
#!/bin/busybox ash
exec 2>/dev/null
for p in /proc/[0-9]*; do tr '\0' '\n' 2>/dev/null <"$p/cmdline" | head -n 1 | grep -qx "\(.*/\)\?$1" && echo "${p#/proc/}"; done
SH
program pidof <<'SH'
#!/bin/busybox ash
exec 2>/dev/null
for p in /proc/[0-9]*; do [ "$p" != /proc/$$ ] && tr '\0' ' ' 2>/dev/null <"$p/cmdline" | grep -q "$1: master" && echo -n "${p#/proc/} "; done
echo
SH
program ipcs <<'SH'
#!/bin/busybox ash
awk '{ print $1, $2 }' /proc/sysvipc/shm
SH
registry_start "$WORK/rootfs"
mount --make-rshared / # for specs about propagation

# critest loads its AppArmor profiles with sudo, of which root has no need.
mkdir -p "$WORK/bin"
command -v sudo >/dev/null || { printf '#!/bin/sh\nexec "$@"\n' >"$WORK/bin/sudo"; chmod 755 "$WORK/bin/sudo"; }

scored_runtime
NRI_SOCKET=$WORK/nri.sock
if [ -n "${CRIO:-}" ]; then
  crio_config "$used" registry.k8s.io/pause:3.10.1
  crio_folders
  # CRI-O redirects ports of the host itself, and leaves the way from 127.0.0.1 to a pod to whoever made its network.
  echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet
  ! command -v iptables >/dev/null || iptables -t nat -A POSTROUTING -s 127.0.0.0/8 -o 'rig+' -j MASQUERADE
  crio_start
else
  mkdir -p "$WORK/certs/_default"
  printf 'server = "http://127.0.0.1:%s"\n[host."http://127.0.0.1:%s"]\n  capabilities = ["pull", "resolve"]\n' "$port" "$port" >"$WORK/certs/_default/hosts.toml"
  containerd_config "$used" registry.k8s.io/pause:3.9 '  enable_unprivileged_ports = false'
  images=io.containerd.cri.v1.images
  [ "$containerd" -ge 2 ] || images=io.containerd.grpc.v1.cri NRI_SOCKET=
  printf '[plugins."%s".registry]\n  config_path = "%s"\n' "$images" "$WORK/certs" >>"$WORK/config.toml"
  containerd_start
fi
[ -z "${NRI_SOCKET:-}" ] || "$CRITEST" -help 2>&1 | grep -q nri-socket || NRI_SOCKET= # older than 1.37
engine_rest() { end_daemon "$daemon"; end_daemon "$registry"; }
engine_stop() { engine_rest; engine_remove; }
(cd "$WORK" && PATH=$PATH:$WORK/bin timeout -k 5 3000 "$CRITEST" -config /dev/null -runtime-endpoint "unix://$socket" ${NRI_SOCKET:+-nri-socket "$NRI_SOCKET"} -ginkgo.seed 7 -ginkgo.timeout 50m -ginkgo.no-color \
  ${FOCUS:+-ginkgo.focus "$FOCUS"} -ginkgo.json-report "$WORK/report.json" >"$WORK/critest.log" 2>&1 </dev/null)
[ -s "$WORK/report.json" ] || { tail -20 "$WORK/critest.log"; echo 'Bail out! critest gave no report'; exit 2; }
while IFS=$'\t' read -r state name note; do
  wanted "$name" || continue
  case $state in
    passed) report ok "$name" ;;
    skipped | pending) report skip "$name" "${note:-critest skips it}" ;;
    *) report fail "$name" "$note"; echo "    $note" ;;
  esac
done < <(jq -r '.[].SpecReports[] | select(.LeafNodeType == "It") | select(env.FOCUS == null or .State != "skipped") | [.State, ((.ContainerHierarchyTexts + [.LeafNodeText])[1:] | join(": ")), ((.Failure.Message // "") | gsub("\\s+"; " ") | .[0:200])] | @tsv' "$WORK/report.json")
[ -z "${KEEP_LOG:-}" ] || cp "$WORK/critest.log" "$WORK/daemon.log" "$KEEP_LOG"
engine_end looked
