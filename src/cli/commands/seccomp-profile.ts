import { TsrunError } from '../../errors/error.js';
import { writeProfile } from '../../operations/seccomp-profile.js';
import { type Context, print } from '../context.js';

/** For the recorder, which passes on what is said: one line on standard output, a warning or, with status 1, an error. */
export function run({ operands }: Context): number {
  try {
    const warning = writeProfile(operands[0] ?? '');
    if (warning !== '') print(warning);
    return 0;
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    const { message, errno } = error.failure;
    print(errno ? `${message}: ${errno}` : message);
    return 1;
  }
}
