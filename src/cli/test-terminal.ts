/** For tests: what a command writes in a terminal of its own, of this width. */
import { spawnSync } from 'node:child_process';
import type { TestContainer } from '../executor/test-container.js';

/** `$BUNDLE` is the container's. */
export function inTerminal(container: TestContainer, width: number, command: string): string {
  const { stdout } = spawnSync('script', ['-qec', `stty cols ${width}; ${command}`, '/dev/null'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TERM: 'xterm', BUNDLE: container.folder },
  });
  return stdout.replaceAll('\r', '');
}
