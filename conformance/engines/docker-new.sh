# Cells of docker.sh about what Docker brought since 25. Sourced where the daemon is that new.

mkdir -p "$WORK/tree/below" && mount -t tmpfs tmpfs "$WORK/tree/below"
written() { run --mount "type=bind,src=$WORK/tree,dst=/d,readonly${1:+,$1}" box sh -c 'touch /d/x 2>&1; touch /d/below/x 2>&1 && echo below'; rm -f "$WORK/tree/below/x"; }
cell '--mount readonly: what is mounted below, too' $'.*Read-only file system\n.*Read-only file system' written ''
cell '--mount readonly,bind-recursive=writable' $'.*Read-only file system\nbelow' written bind-recursive=writable
forced() { run --mount "type=bind,src=$WORK/tree,dst=/d,readonly,bind-recursive=readonly,bind-propagation=rprivate" box sh -c 'touch /d/below/x 2>&1'; }
cell -s 1 '--mount bind-recursive=readonly' '.*Read-only file system' forced
alone_mount() { run --mount "type=bind,src=$WORK/tree,dst=/d,bind-recursive=disabled" box grep -c ' /d/below ' /proc/mounts; }
cell -s 1 '--mount bind-recursive=disabled' '0' alone_mount
umount "$WORK/tree/below"
image_mount() { run --mount type=image,src=box,dst=/img box sh -c 'ls -d /img/etc'; }
cell '--mount type=image' '/img/etc' image_mount
cdi() {
  mkdir -p /etc/cdi && echo '{"cdiVersion":"0.5.0","kind":"example.com/rig","devices":[{"name":"one","containerEdits":{"env":["RIG=one"],"deviceNodes":[{"path":"/dev/rig","hostPath":"/dev/null"}],"mounts":[{"hostPath":"/etc/hostname","containerPath":"/rig-file","options":["ro","bind"]}]}}]}' >/etc/cdi/rig.json
  eventually eval "$D info 2>/dev/null | grep -q example.com/rig=one"
  run --device example.com/rig=one box sh -c 'echo $RIG; ls -l /dev/rig | cut -c1; ls /rig-file'
  rm -rf /etc/cdi/rig.json
}
cell 'a CDI device: its node, mount and variable' $'one\nc\n/rig-file' cdi

# The images in containerd's store, which is Docker 29's default.
if any_wanted "containerd's image store" "containerd's image store: build"; then
  echo '{"features":{"containerd-snapshotter":true}}' >"$WORK/daemon.json"
  engine_rest
  dockerd_start "${named[@]}" "${alone[@]}"
  make_image "$WORK/rootfs" "$WORK/box.tar" localhost/stored:1
  d load -q -i "$WORK/box.tar" >/dev/null
  stored() { d info --format '{{.DriverStatus}}' | grep -o io.containerd.snapshotter.v1; run localhost/stored:1 sh -c 'echo hello; touch /written && echo written'; }
  cell "containerd's image store" $'io.containerd.snapshotter.v1\nhello\nwritten' stored
  stored_build() { printf 'FROM localhost/stored:1\nRUN echo built >/made && id -u >>/made\n' >"$WORK/home/Dockerfile"; DOCKER_BUILDKIT=1 d build -q --network none -t stored:2 "$WORK/home" >/dev/null && run stored:2 cat /made; }
  cell "containerd's image store: build" $'built\n0' stored_build
  d ps -aq | xargs -r "$DOCKER" rm -f >/dev/null 2>&1
  engine_rest
  echo '{}' >"$WORK/daemon.json"
  dockerd_start "${named[@]}" "${alone[@]}"
fi
