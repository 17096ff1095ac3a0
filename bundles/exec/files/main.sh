# Waits to be joined, for a minute at most.
exec sleep 60
