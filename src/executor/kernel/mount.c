/* Detached mounts: configured, given attributes, attached to a descriptor. */
#include "kernel.h"

int attach(int mount, int target) {
  return (int)SYS(move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int set_attributes(int fd, u32 flags, u64 set, u64 clear, u64 propagation) {
  struct mount_attr attr = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
  if (!set && !clear && !propagation) return 0;
  return (int)SYS(mount_setattr, fd, "", AT_EMPTY_PATH | flags, &attr, sizeof attr);
}

int configure(int context, const char *options, u32 size, int soft) {
  static char key[300];
  for (u32 at = 0; at < size; at += (u32)str_length(options + at) + 1) {
    const char *option = options + at, *value = option;
    while (*value && *value != '=') value++;
    if (value - option >= (long)sizeof key) return -E2BIG;
    memcpy(key, option, (usize)(value - option));
    key[value - option] = 0;
    long result = *value ? SYS(fsconfig, context, FSCONFIG_SET_STRING, key, value + 1, 0)
                         : SYS(fsconfig, context, FSCONFIG_SET_FLAG, key, NULL, 0);
    if (result < 0 && !(soft && result == -EINVAL)) return (int)result;
  }
  return 0;
}
