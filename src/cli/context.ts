import { fail } from '../errors/error.js';
import { errnoOf, writeAll } from '../host/files.js';
import { currentDirectory, effectiveUid, environment, exit } from '../host/process.js';
import { SIGPIPE } from '../tables/signals.js';
import { chooseRoot, type StateRoot } from '../state/layout.js';
import type { Log } from './log.js';
import type { Values } from './parse.js';

/** What a command gets. */
export interface Context {
  /** Options before the command's name. */
  readonly globals: Values;
  readonly options: Values;
  readonly operands: readonly string[];
  /** All words from the command's name on. */
  readonly words: readonly string[];
  readonly log: Log;
}

/** A command's module: flags in, operation call, text out. Returns the exit status. */
export interface Command {
  run(context: Context): number | Promise<number>;
}

/** The state root the caller chose, or the default one. */
export function stateRoot({ globals }: Context): StateRoot {
  const facts = { euid: effectiveUid(), environment, currentDirectory };
  return chooseRoot(globals.last('root'), facts);
}

/** Output that was asked for; written before the command ends. */
export function print(text: string): void {
  try {
    writeAll(1, text);
  } catch (error) {
    // The reader has what it wanted (`tsrun list | head -1`): as quiet as a program that SIGPIPE ends.
    if (errnoOf(error) === 'EPIPE') exit(128 + SIGPIPE);
    fail('TSR_CLI_OUTPUT', 'cannot write to standard output', { errno: errnoOf(error) });
  }
}
