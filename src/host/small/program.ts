/** src/host/program.ts for the small engine. */
import type { ProgramResult } from '../program.js';
import { atFdCwd, calls, door } from './door.js';
import { environment } from './process.js';
import { spawn } from './spawn.js';

export type { ProgramResult };

const passed = ['HOME', 'USER', 'TERM', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS', 'DBUS_SYSTEM_BUS_ADDRESS'];
const executable = 1;

export function runProgram(name: string, args: readonly string[]): ProgramResult {
  const folders = [environment('PATH'), '/usr/bin', '/bin', '/usr/sbin', '/sbin'].filter(Boolean).join(':');
  const candidates = name.includes('/') ? [name] : folders.split(':').map((folder) => `${folder || '.'}/${name}`);
  const path = candidates.find((candidate) => door.call(calls.faccessat, atFdCwd, candidate, executable) === 0);
  if (path === undefined) return { status: 128, output: '', errors: '', errno: 'ENOENT' };
  const variables = passed.flatMap((variable) => {
    const value = environment(variable);
    return value === undefined ? [] : [`${variable}=${value}`];
  });
  const result = spawn({
    path,
    words: [name, ...args],
    environment: [...variables, `PATH=${folders}`],
    streams: ['collect', 'collect'],
  });
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { status: result.status, output: text(result.output), errors: text(result.errors), errno: result.errno };
}
