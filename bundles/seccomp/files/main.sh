# The profile denies mkdir(2) and mkdirat(2); every other call works, in the same directory and for the same user.
echo "filter mode: $(sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status)"
echo "touch: $(touch /tmp/file && echo done)"
echo "mkdir: $(mkdir /tmp/directory 2>&1 && echo done)"
