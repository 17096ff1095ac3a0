import type { Context } from '../context.js';
import { createOrRun } from './create.js';

export const run = (context: Context): Promise<number> =>
  createOrRun(context, context.options.is('detach') ? 'run-detached' : 'run');
