/** What is known about a failed step; taken from the executor's outcome and the plan's notes. */
export interface StepFailure {
  /** Index-free description of the step. */
  readonly pointer: string;
  readonly summary: string;
  readonly errno: string;
  readonly syscall: string;
  /** "exit status 3" of a hook or helper; '' otherwise. */
  readonly ended: string;
  /** Output of a hook or helper; of a program that could not be executed, what its file is. */
  readonly text: string;
  /** How long a hook had, that took longer. */
  readonly limitMs?: number;
}
