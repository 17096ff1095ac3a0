/** Classic BPF as seccomp knows it: the few opcodes we write ourselves, labels, and struct sock_filter. */

/** One instruction; jumps count from the next instruction. linux/filter.h. */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

export const opcode = {
  /** A = the 32-bit word at byte k of struct seccomp_data. */
  load: 0x20,
  jumpAlways: 0x05,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpGreaterEqual: 0x35,
  jumpBitsSet: 0x45,
  return: 0x06,
} as const;

/** Offsets in struct seccomp_data. */
export const dataOffset = { nr: 0, arch: 4 } as const;

/** The kernel takes no longer filter (BPF_MAXINSNS). */
export const longestFilter = 4096;
export const instructionSize = 8;

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** struct sock_filter[], in the byte order of this machine. */
export function encodeInstructions(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * instructionSize);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ code, jt, jf, k }, index) => {
    const at = index * instructionSize;
    view.setUint16(at, code, littleEndian);
    view.setUint8(at + 2, jt);
    view.setUint8(at + 3, jf);
    view.setUint32(at + 4, k >>> 0, littleEndian);
  });
  return bytes;
}

export function decodeInstructions(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const instructions: Instruction[] = [];
  for (let at = 0; at + instructionSize <= bytes.length; at += instructionSize) {
    const code = view.getUint16(at, littleEndian);
    const k = view.getUint32(at + 4, littleEndian);
    instructions.push({ code, jt: view.getUint8(at + 2), jf: view.getUint8(at + 3), k });
  }
  return instructions;
}
