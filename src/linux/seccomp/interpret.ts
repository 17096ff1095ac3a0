/** A classic BPF interpreter, for tests only: what would the kernel say to this call? */
import { decodeInstructions } from './bpf.js';

/** struct seccomp_data without the instruction pointer. */
export interface Call {
  readonly arch: number;
  readonly nr: number;
  readonly args?: readonly (number | bigint)[];
}

/** The SECCOMP_RET_* value. @throws on what the kernel's checker would refuse. */
export function interpret(filter: Uint8Array, { arch, nr, args = [] }: Call): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, nr, true);
  data.setUint32(4, arch, true);
  args.forEach((value, index) => {
    data.setBigUint64(16 + index * 8, BigInt.asUintN(64, BigInt(value)), true);
  });
  const program = decodeInstructions(filter);
  let a = 0;
  for (let pc = 0; pc < program.length; pc++) {
    const { code, jt, jf, k } = program[pc]!;
    const jump = (taken: boolean) => {
      pc += taken ? jt : jf;
    };
    switch (code) {
      case 0x20:
        if (k % 4 !== 0 || k >= 64) throw new Error(`bad load ${k} at ${pc}`);
        a = data.getUint32(k, true);
        break;
      case 0x54:
        a = (a & k) >>> 0;
        break;
      case 0x05:
        pc += k;
        break;
      case 0x15:
        jump(a === k);
        break;
      case 0x25:
        jump(a > k);
        break;
      case 0x35:
        jump(a >= k);
        break;
      case 0x45:
        jump((a & k) !== 0);
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`unknown instruction ${code.toString(16)} at ${pc}`);
    }
  }
  throw new Error('the program has no end');
}
