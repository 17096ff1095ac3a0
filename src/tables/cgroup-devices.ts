/** Devices every container may use, whatever its config says first. */

/** A rule of the device cgroup. -1 stands for any number. */
export interface DeviceRule {
  readonly allow: boolean;
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  /** Bits of `deviceAccess`. */
  readonly access: number;
  /** Which rule of the config it is; -1 for a default. */
  readonly index: number;
}

/** Access bits as the kernel numbers them (BPF_DEVCG_ACC_*). */
export const deviceAccess = { mknod: 1, read: 2, write: 4, all: 7 } as const;

const allow = (type: 'b' | 'c', major: number, minor: number, access: number): DeviceRule => ({
  allow: true,
  type,
  major,
  minor,
  access,
  index: -1,
});

/**
 * What runc allows in every container. Making a node is allowed for all devices: a node that cannot be opened
 * harms nobody, and image layers contain them. 10:200 (/dev/net/tun) is there because its removal in runc 1.2
 * broke users who have no way to add a rule. 5:1 is missing on purpose: /dev/console of a container is a
 * pseudoterminal, and the real one is the host's.
 */
export const defaultDeviceRules: readonly DeviceRule[] = [
  allow('c', -1, -1, deviceAccess.mknod),
  allow('b', -1, -1, deviceAccess.mknod),
  allow('c', 1, 3, deviceAccess.all), // null
  allow('c', 1, 8, deviceAccess.all), // random
  allow('c', 1, 7, deviceAccess.all), // full
  allow('c', 5, 0, deviceAccess.all), // tty
  allow('c', 1, 5, deviceAccess.all), // zero
  allow('c', 1, 9, deviceAccess.all), // urandom
  allow('c', 136, -1, deviceAccess.all), // pts/*
  allow('c', 5, 2, deviceAccess.all), // ptmx
  allow('c', 10, 200, deviceAccess.all), // net/tun
];
