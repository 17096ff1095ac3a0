/** Which tsrun this is, and which versions of the runtime specification it takes. */

/** The version in package.json; a test compares them. */
export const version = '0.1.0';
/** When that version was last worked on: manual pages show it. */
export const versionDate = '2026-11-24';

/** Replaced by the build with the commit it was made from. */
declare const TSRUN_COMMIT: string | undefined;
export const commit: string = typeof TSRUN_COMMIT === 'string' ? TSRUN_COMMIT : 'unknown';

export const specificationMin = '1.0.0';
export const specificationMax = '1.3.0';

/**
 * Whether a config was written for a specification before 1.`minor`. Where a rule has changed, a config gets the rule
 * of its own version.
 */
export function isBefore(ociVersion: string, minor: number): boolean {
  const match = /^1\.([0-9]+)\./.exec(ociVersion);
  return match !== null && Number(match[1]) < minor;
}
