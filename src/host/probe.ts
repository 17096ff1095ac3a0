/**
 * What the kernel lets this user do, found out by trying (`tsrun check`). Each try is made in a child that ends with it, and makes nothing
 * that outlives it. Node has threads and cannot fork: it asks the program.
 */
import { executorPath } from './executor.js';
import { runProgram } from './program.js';

/** What was tried, and the errno it ended with; '' for success. */
export type Probed = Readonly<Record<string, string>>;

export interface ProbeWishes {
  /** Directories whose file system is asked for id-mapped mounts. */
  readonly idMapped: readonly string[];
}

/** The words that a process of ours is called with to answer. */
export const probeWords = (wishes: ProbeWishes): string[] => ['host-probes', '--', ...wishes.idMapped];

export function probeHost(wishes: ProbeWishes): Probed {
  const { status, output } = runProgram(executorPath(), probeWords(wishes));
  return status === 0 ? (JSON.parse(output) as Probed) : {};
}
