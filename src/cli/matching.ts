import { fail, TsrunError } from '../errors/error.js';
import { listIds } from '../state/store.js';
import { type Context, stateRoot } from './context.js';
import { compilePattern } from './pattern.js';

function patternOf(text: string): (id: string) => boolean {
  try {
    return compilePattern(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return fail('TSR_CLI_VALUE', `'${text}' is not a regular expression`, { detail: error.message });
  }
}

/**
 * `--regex`, as crun has it: the operand is a pattern, and what it finds in an id is enough. One container's error does
 * not spare the others; all are told, and the last is the command's.
 */
export async function forEachMatching(context: Context, work: (id: string) => void | Promise<void>): Promise<void> {
  const pattern = patternOf(context.operands[0] ?? '');
  let last: TsrunError | undefined;
  for (const id of listIds(stateRoot(context)).filter(pattern)) {
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
