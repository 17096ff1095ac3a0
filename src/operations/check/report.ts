/** What `tsrun check` says; schemas/check.schema.json describes the same. */

/** One thing that a host has or has not. */
export interface HostFact {
  /** For programs: `kernel.openat2`. */
  readonly id: string;
  readonly name: string;
  /** 'partly': it is there, with a reservation that `means` names. 'unknown': this user cannot find out. */
  readonly state: 'yes' | 'no' | 'partly' | 'unknown';
  /** A version, a number, a list. */
  readonly value?: string;
  /** What follows for containers. */
  readonly means: string;
}

export interface HostReport {
  readonly host: readonly { readonly title: string; readonly facts: readonly HostFact[] }[];
}

/**
 * 'error': the config is refused. 'missing': the host lacks what a key needs, so the container does not start. 'warning': what has no
 * effect or may fail. 'risk': it starts, and gives away more than most containers are given.
 */
export type FindingKind = 'error' | 'missing' | 'warning' | 'risk';

export interface BundleFinding {
  readonly kind: FindingKind;
  /** JSON pointer of the key in config.json; '' for the whole. */
  readonly pointer: string;
  readonly message: string;
  /** Why that matters, or what to do. */
  readonly why: string;
  /** An error's code (docs/errors.md). */
  readonly code?: string;
}

export interface BundleReport {
  readonly bundle: string;
  /** 'starts': nothing found; 'findings': it starts, with findings; 'fails': it does not start. */
  readonly verdict: 'starts' | 'findings' | 'fails';
  readonly findings: readonly BundleFinding[];
}
