# Sourced by rootless.sh and docker-rootless.sh after engine_main: the ordinary user rig, in files that only this script sees, with ranges of ids and /run/user/$user.

ENGINE_MOUNTS=$(printf '%s\n' /etc/{passwd,group,subuid,subgid} /dev/net/tun)
user=4321
for file in passwd group subuid subgid; do cp /etc/$file "$WORK/$file"; done
echo "rig:x:$user:$user::$WORK/home:/bin/sh" >>"$WORK/passwd"
echo "rig:x:$user:" >>"$WORK/group"
echo rig:500000:65536 | tee -a "$WORK/subuid" >>"$WORK/subgid"
for file in passwd group subuid subgid; do mount --bind "$WORK/$file" /etc/$file; done
# slirp4netns needs the device that every distribution opens to all.
if [ ! -e /dev/net/tun ]; then mkdir -p /dev/net && mknod /dev/net/tun c 10 200; fi
mknod -m 666 "$WORK/tun" c 10 200 && mount --bind "$WORK/tun" /dev/net/tun
mkdir -p /run/user/$user "$WORK/storage"
chmod 700 /run/user/$user
chown -R $user:$user /run/user/$user "$WORK/home" "$WORK/tmp" "$WORK/storage"
user_stop() { for file in passwd group subuid subgid; do umount /etc/$file; done 2>/dev/null; umount /dev/net/tun; }
