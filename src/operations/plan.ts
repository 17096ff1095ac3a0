import { TsrunError } from '../errors/error.js';
import { type CreateRequest, compileRequest } from './create.js';

/**
 * The plan that `create` would carry out; nothing is done. A bundle with a terminal is planned as a foreground run
 * when there is no console socket to send it to, because a detached one cannot be made without.
 */
export function planContainer(request: CreateRequest): ReturnType<typeof compileRequest> {
  try {
    return compileRequest(request);
  } catch (error) {
    const code = error instanceof TsrunError ? error.failure.code : '';
    if (code !== 'TSR_CONSOLE_SOCKET' || request.switches.consoleSocket !== undefined) throw error;
    return compileRequest({ ...request, mode: 'run' });
  }
}
