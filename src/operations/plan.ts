import { TsrunError } from '../errors/error.js';
import { compileRead, type CreateRequest, readRequest } from './create.js';

/**
 * The plan that `create` would carry out; nothing is done. A bundle with a terminal is planned as a foreground run
 * when there is no console socket to send it to, because a detached one cannot be made without.
 */
export function planContainer(request: CreateRequest): ReturnType<typeof compileRead> {
  const read = readRequest(request);
  try {
    return compileRead(read);
  } catch (error) {
    const code = error instanceof TsrunError ? error.failure.code : '';
    if (code !== 'TSR_CONSOLE_SOCKET' || request.switches.consoleSocket !== undefined) throw error;
    return compileRead({ ...read, options: { ...read.options, mode: 'run' } });
  }
}
