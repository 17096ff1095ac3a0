# Spins for three seconds and says how much processor time that gave: 0.6 s at a quota of 20 %.
echo "quota: $(cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us 2> /dev/null | head -n 1)"
timeout 3 sh -c 'while :; do :; done'
echo "seconds spinning: 3"
times > /tmp/times # not in a pipe: that would be another shell, with times of its own
echo "processor time: $(tail -n 1 /tmp/times)"
