import { readTextFile } from '../../bundle/read.js';
import { readTrace } from '../../trace/format.js';
import { type Context, print } from '../context.js';
import { writePage } from '../page-file.js';
import { clipLines, terminalFor } from '../terminal.js';

export async function run({ options, operands }: Context): Promise<number> {
  const name = operands[0] ?? '';
  const trace = readTrace(readTextFile(name, { stream: true }).text, name);
  const page = options.text('html');
  if (page !== undefined) writePage(page, (await import('../../trace/html.js')).tracePage(trace));
  const { printTrace, traceAsData } = await import('../../trace/text.js');
  if (options.is('json')) print(`${JSON.stringify(traceAsData(trace), null, 2)}\n`);
  else if (page === undefined) {
    const { width } = terminalFor();
    const text = printTrace(trace);
    print(width === undefined ? text : clipLines(text, width));
  }
  return 0;
}
