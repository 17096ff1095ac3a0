/** How a `run` or `exec` of the library is stopped from outside: by an AbortSignal, or because its time is up. */
import { TsrunError } from '../errors/error.js';
import { type Abort, after, every } from '../host/timers.js';

export interface Limits {
  /** Stops it: its process is asked to end (TERM), and killed half a second later. The promise is rejected with TSR_ABORTED. */
  readonly signal?: Abort | undefined;
  /** Stops it in the same way when it has not ended in that time: TSR_TIMEOUT. */
  readonly timeoutMs?: number | undefined;
}

/** The executor at work. */
export interface Running {
  readonly pid: number;
  /** TERM: it takes back what it has made so far, or passes it on. */
  readonly stop: () => void;
}

const graceMs = 500;
const againMs = 100;

const aborted = (): TsrunError => new TsrunError({ code: 'TSR_ABORTED', message: 'aborted by its signal' });

/** @throws TSR_ABORTED when it is too late to begin. */
export function refuseAborted({ signal }: Limits): void {
  if (signal?.aborted) throw aborted();
}

export class Watch {
  #reason: TsrunError | undefined;
  readonly #undo: (() => void)[] = [];
  readonly #limits: Limits;
  readonly #kill: (running: Running) => void;

  /** `kill` ends the process for good; it is called until the executor has noticed. */
  constructor(limits: Limits, kill: (running: Running) => void) {
    this.#limits = limits;
    this.#kill = kill;
  }

  begin(running: Running): void {
    const { signal, timeoutMs } = this.#limits;
    if (signal) {
      const onAbort = (): void => this.#stop(running, aborted());
      signal.addEventListener('abort', onAbort);
      this.#undo.push(() => signal.removeEventListener('abort', onAbort));
    }
    if (timeoutMs !== undefined) {
      const late = { code: 'TSR_TIMEOUT', message: `has not ended in ${timeoutMs} ms` };
      this.#undo.push(after(timeoutMs, () => this.#stop(running, new TsrunError(late))));
    }
  }

  end(): void {
    for (const undo of this.#undo) undo();
  }

  /** Why it was stopped, if it was. */
  get reason(): TsrunError | undefined {
    return this.#reason;
  }

  #stop(running: Running, reason: TsrunError): void {
    if (this.#reason) return;
    this.#reason = reason;
    running.stop();
    this.#undo.push(after(graceMs, () => this.#undo.push(every(againMs, () => this.#kill(running)))));
  }
}
