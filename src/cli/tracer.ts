import type { Context } from './context.js';
import type { Tracer } from './rounds.js';

/** Who writes what `--trace` asks for; for nobody else anything of it is loaded. @throws when the file cannot be written. */
export async function openTracer(context: Context): Promise<Tracer | undefined> {
  const name = context.options.text('trace') ?? context.globals.text('trace');
  if (name === undefined) return undefined;
  const { TraceFile } = await import('./trace-file.js');
  return new TraceFile(context, name);
}
