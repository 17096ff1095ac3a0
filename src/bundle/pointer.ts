/** A place in a JSON document: keys and indexes from the root. */
export type Path = readonly (string | number)[];

/** RFC 6901: `/linux/sysctl/a~1b`. */
export const pointerOf = (path: Path): string => path.map((key) => `/${escapeKey(key)}`).join('');

/** One part of a pointer. */
export const escapeKey = (key: string | number): string => String(key).replaceAll('~', '~0').replaceAll('/', '~1');

/** The inverse of `pointerOf`; indexes come back as strings. */
export const pathOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

/** Whether one pointer is the other's or lies below it. */
export const isWithin = (pointer: string, ancestor: string): boolean =>
  pointer === ancestor || pointer.startsWith(`${ancestor}/`);

/** The value at a pointer of a document, own properties only; undefined where nothing is. */
export function valueAt(document: unknown, path: Path): unknown {
  let here = document;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string | number, unknown>)[key];
  }
  return here;
}
