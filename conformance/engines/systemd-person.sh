# Sourced by parts of systemd.sh: an ordinary user with a service manager of his own, that has been given cgroups; stopped with the part.

uid=4242 home=$WORK/person
if ! id person >/dev/null 2>&1; then
  echo "person:x:$uid:$uid:person:$home:/bin/sh" >>/etc/passwd
  echo "person:x:$uid:" >>/etc/group
  echo 'person:*:19000:0:99999:7:::' >>/etc/shadow # PAM asks for one
  for file in subuid subgid; do echo person:500000:65536 >>/etc/$file; done
fi
mkdir -p "$home/bundle" "$home/tmp"
podman_conf "$home/containers.conf"
chown -R $uid:$uid "$home"
# What distributions' documentation tells people who want all limits without root: the default is cpu, memory and pids.
mkdir -p /run/systemd/system/user@.service.d
printf '[Service]\nDelegate=cpu cpuset io memory pids\n' >/run/systemd/system/user@.service.d/delegate.conf
systemctl daemon-reload
systemctl start systemd-logind.service && loginctl enable-linger person
# From a cgroup that is not the user's, as from a service of the system's.
as_person() { (cd "$home/bundle" && setpriv --reuid $uid --regid $uid --init-groups env -i "PATH=$PATH" "HOME=$home" "XDG_RUNTIME_DIR=/run/user/$uid" "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$uid/bus" \
  USER=person TMPDIR="$home/tmp" CONTAINERS_CONF="$home/containers.conf" timeout -k 5 120 "$@" </dev/null); }
# The socket alone may be that of a manager that a part before has stopped.
user_bus() { as_person systemctl --user show-environment; }
eventually user_bus || eventually user_bus || { systemctl status user@$uid.service; echo 'Bail out! no user bus'; exit 2; }
stop_person() { up rm -fa -t 0; up system migrate; loginctl disable-linger person; systemctl stop user@$uid.service; }
stops+=(stop_person)

up() { as_person podman --root "$home/root" --runroot "$home/runroot" --tmpdir "$home/libpod" --cgroup-manager systemd --storage-driver vfs --runtime "$RUNTIME" "$@"; }
user_image() { tar -C "$WORK/rootfs" --exclude ./dev --numeric-owner --owner 0 --group 0 -cf "$home/box.tar" . && up import "$home/box.tar" box >/dev/null 2>"$WORK/err" || { cat "$WORK/err"; echo "Bail out! podman cannot import an image"; exit 2; }; }
user_scopes() { as_person systemctl --user list-units --all --plain --no-legend --type scope "$1" | awk '{ print $1, $3 }'; }
user_show() { as_person systemctl --user show "$1" -P "$2"; }
user_shown() { local unit=$1 name; shift; for name in "$@"; do echo "$name=$(user_show "$unit" "$name")"; done; }
