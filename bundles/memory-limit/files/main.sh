# Asks for 256 MiB where 32 MiB are allowed: the kernel kills the process, and the container's status is 137.
echo "limit: $(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2> /dev/null | head -n 1)"
exec dd if=/dev/zero of=/dev/null bs=268435456 count=1
