/** Bytes to be written all over, which a system call then takes as they are. What was there before is not said. */
export const newBytes = (length: number): Uint8Array => Buffer.allocUnsafeSlow(length);
