# What selftest.sh breaks for containerd.sh.
together=yes
[ -n "$wanted" ] || { harmless; nothing; }
leftover
broken - '.process.args=["/bin/true"]' 'run prints' 'exit status passes through' 'run -d, kill -s SIGKILL, delete' 'the same container starts twice' '--annotation' 'exec prints'
broken kill '' 'kill sends TERM; the exit status comes back' 'kill of a stopped task: not found' 'kill --all reaches every process'
broken - '.linux.rootfsPropagation="rshared"' '--rootfs-propagation rprivate'
broken - 'del(.linux.rootfsPropagation)' '--rootfs-propagation rshared'
broken exec '' 'exec prints' 'exec: the exit status comes back' 'exec -t under a pty' 'exec of a program that is not there'
broken pause '' 'pause and resume' 'a paused task stands still and can be killed'
broken ps '' 'task ps lists every process'
broken - 'del(.linux.resources.memory,.linux.resources.cpu)' '--memory-limit' '--cpus' 'out of memory: the event and the status'
broken - '.linux.cgroupsPath="/default/plain"' '--cgroup'
broken - '.process.capabilities={bounding:["CAP_KILL"],permitted:["CAP_KILL"],effective:["CAP_KILL"]}' '--privileged' '--cap-add'
broken - '.process.noNewPrivileges|=not' 'no new privileges, unless allowed' '--allow-new-privs'
broken - 'del(.linux.seccomp)|.root.readonly=false' '--seccomp' '--read-only'
broken - '.linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",syscalls:[{names:["mkdirat"],action:"SCMP_ACT_ERRNO"}]}' 'no seccomp'
broken - '.process.env=["PATH=/bin"]|.process.cwd="/"' '--env, --cwd' '--env-file'
broken - '.mounts|=map(select(.destination!="/data"))|.linux.devices=[]' '--mount' '--device'
broken - '.linux.namespaces|=map(del(.path))' '--with-ns joins a namespace'
broken - '.linux.namespaces|=map(select(.type!="network"))+[{type:"network"}]' '--net-host'
broken - '.hostname="else"' "--config: the runtime's own 'spec'"
