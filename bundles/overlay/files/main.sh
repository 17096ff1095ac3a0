# Changes, removes and adds files in the root file system; all of it lands in the upper layer.
echo "root: $(sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \/ .* - \([^ ]*\) .*/\1/p' /proc/self/mountinfo)"
echo "before: $(cat /layer.txt)"
echo "from the container" > /layer.txt
rm /unwanted.txt
echo "new" > /added.txt
echo "after: $(cat /layer.txt)"
[ -e /unwanted.txt ] || echo "unwanted.txt is gone"
