/** The engine's entry: arguments in, exit status out. Loads nothing but what the command needs. */
import { commandHint, hasCommand, loadCommand } from './cli/commands.js';
import { type Context, print } from './cli/context.js';
import { daemonOf, Log, logOptions } from './cli/log.js';
import { commandRow, globalOptions } from './cli/options.js';
import { countComplaint, parseOptions, type Values } from './cli/parse.js';
import { settle } from './cli/settle.js';
import { type Failure, fail, TsrunError } from './errors/error.js';
import { commandLine } from './host/arguments.js';
import { isLaterRound } from './host/executor.js';
import { elapsedMs, exit } from './host/process.js';
import { whenStarted } from './host/start.js';

async function printVersion(): Promise<void> {
  const { commit, specificationMax, version } = await import('./tables/versions.js');
  print(`tsrun version ${version}\ncommit: ${commit}\nspec: ${specificationMax}\n`);
}

async function printProgramHelp(): Promise<void> {
  const { renderProgramHelp } = await import('./cli/help.js');
  print(renderProgramHelp(hasCommand));
}

async function printCommandHelp(name: string): Promise<void> {
  const row = hasCommand(name) ? commandRow(name) : undefined;
  if (!row) return fail('TSR_CLI_COMMAND', `unknown command '${name}'`, { hint: commandHint(name) });
  const { renderCommandHelp } = await import('./cli/help.js');
  print(renderCommandHelp(row));
}

/** Parses and runs one command; `log` is what `main` will report a failure to. */
async function runCommand(name: string, args: readonly string[], globals: Values, log: Log): Promise<number> {
  if (name === 'help') {
    await (args[0] === undefined ? printProgramHelp() : printCommandHelp(args[0]));
    return 0;
  }
  const row = commandRow(name);
  const loading = loadCommand(name);
  if (!row || !loading) return fail('TSR_CLI_COMMAND', `unknown command '${name}'`, { hint: commandHint(name) });
  log.head = `tsrun ${name}`;
  const { options, operands } = parseOptions(row.options, args, row.optionsFirst === true);
  if (options.is('help')) {
    await printCommandHelp(name);
    return 0;
  }
  const complaint = countComplaint(name, row.count, operands.length);
  if (complaint !== undefined) {
    log.head = 'tsrun';
    fail('TSR_CLI_USAGE', complaint);
  }
  if (row.operands.startsWith('ID') && operands[0]) log.head = `tsrun ${name} ${operands[0]}`;
  if (log.isVerbose && !isLaterRound()) (await import('./cli/debug.js')).tellCommand(log, name, args);
  const context: Context = { globals, options, operands, words: [name, ...args], log };
  return (await loading).run(context);
}

async function startDebug(log: Log): Promise<void> {
  const debug = await import('./cli/debug.js');
  debug.startDebug(log);
}

async function openLog(globals: Values): Promise<Log> {
  const options = logOptions(globals);
  const daemon = daemonOf(options);
  return new Log(options, daemon && (await import('./cli/log-daemon.js')).openDaemon(daemon));
}

function failureOf(error: unknown): Failure {
  if (error instanceof TsrunError) return error.failure;
  const { message, code } = error as { message?: unknown; code?: unknown };
  const errno = typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? { errno: code } : {};
  return { code: 'TSR_INTERNAL', message: `internal error: ${String(message ?? error)}`, ...errno };
}

/** As runc does it: what is wrong and how it is meant, on standard output; the error itself on standard error. */
async function printUsage(failure: Failure, name: string | undefined): Promise<void> {
  const counts = failure.message.includes('requires ');
  print(counts ? 'Incorrect Usage.\n\n' : `Incorrect Usage: ${failure.message}\n\n`);
  await (name !== undefined && hasCommand(name) ? printCommandHelp(name) : printProgramHelp());
}

async function main(args: readonly string[]): Promise<number> {
  elapsedMs();
  let log = new Log({ file: undefined, json: false, level: 'warning' });
  let name: string | undefined;
  try {
    const { options: globals, operands } = parseOptions(globalOptions, args, true);
    log = await openLog(globals);
    if (log.isVerbose) await startDebug(log);
    name = operands[0];
    if (globals.is('version')) await printVersion();
    else if (name === undefined || globals.is('help')) await printProgramHelp();
    else {
      const status = await runCommand(name, operands.slice(1), globals, log);
      if (!isLaterRound()) log.debug(`ends with exit status ${status}`);
      return status;
    }
    return 0;
  } catch (thrown) {
    const error = await settle(thrown);
    const failure = failureOf(error);
    if (!(error instanceof TsrunError)) log.debug(String((error as { stack?: unknown }).stack ?? error));
    if (failure.code === 'TSR_CLI_USAGE') await printUsage(failure, name).catch(() => undefined);
    log.failure(failure);
    return error instanceof TsrunError ? error.exitCode : 1;
  }
}

whenStarted(() => main(commandLine()).then(exit));
