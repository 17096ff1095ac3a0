import { readTextFile } from '../../bundle/read.js';
import { fail } from '../../errors/error.js';
import { closeFile, errnoOf, openFile, openFlags, writeAll } from '../../host/files.js';
import { readTrace } from '../../trace/format.js';
import { type Context, print } from '../context.js';

/** Columns of a terminal that has not said how many. */
const usualWidth = 80;

function writePage(path: string, text: string): void {
  try {
    const fd = openFile(path, openFlags.write | openFlags.create | openFlags.truncate | openFlags.nonBlock, 0o644);
    writeAll(fd, text);
    closeFile(fd);
  } catch (error) {
    fail('TSR_TRACE_WRITE', `cannot write the page to '${path}'`, { errno: errnoOf(error) });
  }
}

export async function run({ options, operands }: Context): Promise<number> {
  const name = operands[0] ?? '';
  const trace = readTrace(readTextFile(name, { stream: true }).text, name);
  const page = options.text('html');
  if (page !== undefined) writePage(page, (await import('../../trace/html.js')).tracePage(trace));
  const { printTrace, traceAsData } = await import('../../trace/text.js');
  if (options.is('json')) print(`${JSON.stringify(traceAsData(trace), null, 2)}\n`);
  else if (page === undefined) print(printTrace(trace, usualWidth));
  return 0;
}
