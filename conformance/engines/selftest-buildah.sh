# What selftest.sh breaks for buildah.sh.
together=yes
[ -n "$wanted" ] || { harmless; nothing; }
leftover
broken - '.process.args=["/bin/true"]' 'run prints' 'exit status passes through' 'stdout and stderr stay apart' 'what a step writes is there in the next one' \
  '--runtime PATH' '--runtime-flag' 'stdin' 'a failing RUN fails the build' 'build with RUN steps' 'a build that is told to end'
broken - '.process.user={uid:0,gid:0}' '--user' 'build with RUN steps'
broken - '.process.cwd="/"|.process.env=["PATH=/bin"]' '--workingdir, --env' 'stages, arguments, mounts, working directory'
broken - '.process.capabilities={bounding:["CAP_CHOWN"],permitted:["CAP_CHOWN"],effective:["CAP_CHOWN"]}' '--cap-drop' '--cap-add'
broken - '.mounts|=map(select(.destination|test("^/(data|scratch|t)$")|not))' '--volume' '--mount tmpfs' '--mount type=bind' 'stages, arguments, mounts, working directory'
broken - '.mounts|=map(.options-=["ro"])' '--volume :ro'
broken - '.linux.namespaces|=map(select(.type!="network"))' '--network none has nothing but lo'
broken - '.linux.namespaces+=[{type:"network"}]' '--network host'
broken - '.linux.namespaces|=map(select(.type!="pid"))' 'the process is the first of its pid namespace'
broken - '.hostname="else"' '--hostname'
broken - 'del(.linux.seccomp)' 'the seccomp profile is on'
broken - '.process.terminal=false' '--tty'
broken - 'del(.linux.resources.memory,.linux.resources.cpu)' 'build --memory --cpu-shares --ulimit'
broken - '.linux.uidMappings=[{containerID:0,hostID:300000,size:3000}]' 'build in a user namespace'
