import { fail } from '../errors/error.js';

/** As long as a file name may be, which an id is (`<root>/<id>`). */
const longest = 255;

const pattern = /^[A-Za-z0-9_+-][A-Za-z0-9_+.-]*$/;

/**
 * Whether a name may be a container id: runc's characters, and no leading dot, so that neither `..` nor the
 * root's own dot files can be meant (security.md S48).
 */
export const isContainerId = (id: string): boolean => id.length <= longest && pattern.test(id);

/** Every command that takes an id calls this before the id becomes part of a path. */
export function checkContainerId(id: string): void {
  if (id === '') fail('TSR_ID_EMPTY', 'container id cannot be empty');
  if (isContainerId(id)) return;
  fail('TSR_ID_FORMAT', 'invalid container ID format', {
    detail: `'${id.slice(0, 300)}'`,
    hint: `use up to ${longest} of A-Z a-z 0-9 _ + . - and no dot in front`,
  });
}
