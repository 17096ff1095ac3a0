/** Paths that name an open descriptor of whoever writes them: `/dev/fd/5`, `/dev/stdin`. */

const streams: { readonly [path: string]: number } = { '/dev/stdin': 0, '/dev/stdout': 1, '/dev/stderr': 2 };

/** The descriptor's number, or undefined for a path of any other kind. */
export function descriptorOf(path: string): number | undefined {
  if (!path.startsWith('/dev/') && !path.startsWith('/proc/')) return undefined;
  const [, digits] = /^\/(?:dev|proc\/self)\/fd\/(0|[1-9][0-9]{0,6})$/.exec(path) ?? [];
  return digits === undefined ? streams[path] : Number(digits);
}
