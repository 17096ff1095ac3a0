/** Everything one failure can say. Text is made from it in `render.ts` only; style.md, house rule 1. */
export interface Failure {
  /** Stable code, `TSR_<AREA>_<FAULT>`; listed in `catalogue.ts`, never renamed or reused. */
  readonly code: string;
  /** What went wrong, lower case, no period: `hook path must be absolute`. */
  readonly message: string;
  /** RFC 6901 JSON pointer of the config key to blame, e.g. `/mounts/3`. */
  readonly pointer?: string;
  /** Summary of the plan step that failed, e.g. `mount tmpfs on /run`. */
  readonly step?: string;
  /** Name of the failing system call, e.g. `move_mount`. */
  readonly syscall?: string;
  /** Errno name, e.g. `EPERM`. */
  readonly errno?: string;
  /** Likely cause, or captured text of a hook; one line. */
  readonly detail?: string;
  /** What to do about it; one line. */
  readonly hint?: string;
}

/** The one error class. `exitCode` is 1 unless the command's contract says otherwise (exec: 255). */
export class TsrunError extends Error {
  readonly failure: Failure;
  exitCode = 1;

  get code(): string {
    return this.failure.code;
  }

  get pointer(): string | undefined {
    return this.failure.pointer;
  }

  get errno(): string | undefined {
    return this.failure.errno;
  }

  get hint(): string | undefined {
    return this.failure.hint;
  }

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'TsrunError';
    this.failure = failure;
  }
}

/** Shorthand for `throw new TsrunError(...)` in expression position. */
export function fail(code: string, message: string, rest: Omit<Failure, 'code' | 'message'> = {}): never {
  throw new TsrunError({ code, message, ...rest });
}
