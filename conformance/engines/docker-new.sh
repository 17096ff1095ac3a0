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
