import { fail, TsrunError } from '../errors/error.js';
import { listIds } from '../state/store.js';
import { type Context, stateRoot } from './context.js';

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    const detail = String((error as Error).message);
    return fail('TSR_CLI_VALUE', `'${text}' is not a regular expression`, { detail });
  }
}

/**
 * `--regex`, as crun has it: the operand is a pattern, and what it finds in an id is enough. One container's error does
 * not spare the others; all are told, and the last is the command's.
 */
export async function forEachMatching(context: Context, work: (id: string) => void | Promise<void>): Promise<void> {
  const pattern = patternOf(context.operands[0] ?? '');
  let last: TsrunError | undefined;
  for (const id of listIds(stateRoot(context)).filter((name) => pattern.test(name))) {
    try {
      await work(id);
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      if (last) context.log.warn(last.failure);
      last = new TsrunError({ ...error.failure, message: `${id}: ${error.failure.message}` });
    }
  }
  if (last) throw last;
}
