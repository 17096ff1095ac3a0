#!/bin/sh
# The command of the package tsrun: starts the program for this machine, which is in a package of its own. Engines are better told that one's path.
self=$(readlink -f "$0")
here=${self%/bin/tsrun}
case $(uname -m) in
  x86_64) cpu=x64 ;;
  aarch64) cpu=arm64 ;;
  *) echo "tsrun: there is no program for $(uname -m); x86-64 and arm64 only" >&2; exit 1 ;;
esac
for program in "$here/node_modules/@tsrun/linux-$cpu/tsrun" "$here/../@tsrun/linux-$cpu/tsrun"; do
  [ -x "$program" ] && exec "$program" "$@"
done
echo "tsrun: the package @tsrun/linux-$cpu is missing: npm install @tsrun/linux-$cpu" >&2
exit 1
