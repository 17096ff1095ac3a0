/**
 * Published weaknesses of software of the host that a container depends on: `tsrun check` tells which of them a version has, and
 * docs/security.md lists them (checked by a test).
 */
export interface Advisory {
  readonly id: string;
  readonly of: 'libseccomp';
  /** The first version without it. */
  readonly mendedIn: string;
  readonly what: string;
}

export const advisories: readonly Advisory[] = [
  {
    id: 'GHSA-4q85-33p6-j5g6',
    of: 'libseccomp',
    mendedIn: '2.6.1',
    what: 'two comparisons of 64 bits are merged into one, and the filter allows more than the profile',
  },
  {
    id: 'GHSA-2hqh-5c36-grrm',
    of: 'libseccomp',
    mendedIn: '2.6.1',
    what: 'a filter that is too large corrupts memory',
  },
  {
    id: 'GHSA-46fr-jh49-xvhx',
    of: 'libseccomp',
    mendedIn: '2.6.1',
    what: 'a filter that is too large corrupts memory',
  },
];

/** Whether `version` comes before `other`; numbers between dots. */
export function isOlder(version: string, other: string): boolean {
  const [a, b] = [version.split('.').map(Number), other.split('.').map(Number)];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [left = 0, right = 0] = [a[i], b[i]];
    if (left !== right) return left < right;
  }
  return false;
}

export const advisoriesOf = (of: Advisory['of'], version: string): Advisory[] =>
  advisories.filter((advisory) => advisory.of === of && isOlder(version, advisory.mendedIn));
