import { nearest } from '../bundle/nearest.js';
import type { Command } from './context.js';
import { commandRow } from './options.js';

/** The commands this build has. */
const built = [
  'check',
  'checkpoint',
  'completion',
  'create',
  'delete',
  'events',
  'exec',
  'features',
  'host-probes',
  'kill',
  'list',
  'pause',
  'plan',
  'ps',
  'restore',
  'restore-check',
  'resume',
  'run',
  'spec',
  'start',
  'state',
  'stats',
  'seccomp-profile',
  'systemd-unit',
  'trace',
  'update',
];

/** What helps somebody who has named a command that there is not. */
export function commandHint(name: string): string {
  const shown = built.filter((command) => !commandRow(command)?.hidden);
  const near = nearest(name, [...shown, 'help']);
  return near === undefined ? "see 'tsrun --help'" : `did you mean '${near}'? See 'tsrun --help'`;
}

export const hasCommand = (name: string): boolean => built.includes(name);

/** Each command's module is loaded only when it is called: start-up time is most of a command's time. */
export function loadCommand(name: string): Promise<Command> | undefined {
  switch (name) {
    case 'check':
      return import('./commands/check.js');
    case 'checkpoint':
      return import('./commands/checkpoint.js');
    case 'completion':
      return import('./commands/completion.js').then(({ completionCommand }) => completionCommand(hasCommand));
    case 'create':
      return import('./commands/create.js');
    case 'delete':
      return import('./commands/delete.js');
    case 'events':
      return import('./commands/events.js');
    case 'exec':
      return import('./commands/exec.js');
    case 'features':
      return import('./commands/features.js');
    case 'host-probes':
      return import('./commands/host-probes.js');
    case 'kill':
      return import('./commands/kill.js');
    case 'list':
      return import('./commands/list.js');
    case 'pause':
      return import('./commands/pause.js');
    case 'plan':
      return import('./commands/plan.js');
    case 'ps':
      return import('./commands/ps.js');
    case 'restore':
      return import('./commands/restore.js');
    case 'restore-check':
      return import('./commands/restore-check.js');
    case 'resume':
      return import('./commands/resume.js');
    case 'run':
      return import('./commands/run.js');
    case 'spec':
      return import('./commands/spec.js');
    case 'start':
      return import('./commands/start.js');
    case 'state':
      return import('./commands/state.js');
    case 'stats':
      return import('./commands/stats.js');
    case 'seccomp-profile':
      return import('./commands/seccomp-profile.js');
    case 'systemd-unit':
      return import('./commands/systemd-unit.js');
    case 'trace':
      return import('./commands/trace.js');
    case 'update':
      return import('./commands/update.js');
    default:
      return undefined;
  }
}
