import type { Spec } from '../types.js';
import type { Rule } from '../rule.js';
import { quote } from '../describe.js';

/** SemVer 2.0.0: the three numbers, then perhaps a pre-release and build data. */
const semver =
  /^(0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z.-]+)?$/;

/** Spares nearly every config the pattern, which is slow in a cold engine. */
const released = ['1.0.0', '1.0.1', '1.0.2', '1.0.2-dev', '1.1.0', '1.2.0', '1.2.1', '1.3.0'];

/** config.md "Specification version". Versions 1.x are compatible with each other in both directions. */
export const ociVersionRule: Rule<Spec> = {
  reads: ['/ociVersion'],
  check({ ociVersion }, report) {
    if (released.includes(ociVersion)) return;
    const major = semver.exec(ociVersion)?.[1];
    if (major === '1') return;
    if (major === undefined) {
      report.error(
        'TSR_CONFIG_VERSION',
        '/ociVersion',
        `${quote(ociVersion)} is no version of three numbers`,
        "write one such as '1.0.2'",
      );
    } else {
      report.error(
        'TSR_CONFIG_VERSION',
        '/ociVersion',
        `version ${quote(ociVersion)} of the specification is not supported`,
        'tsrun reads versions 1.x',
      );
    }
  },
};
