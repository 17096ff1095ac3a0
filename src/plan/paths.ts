/** Path arithmetic on text. Nothing here looks at a file: in the container only the executor resolves paths (S01). */

/** `path` as the bundle means it: a relative one starts at `base`. None stays none. */
export function absolutePath(base: string, path: string): string {
  if (path === '') return '';
  return trimEnd(path.startsWith('/') ? path : `${base}/${path}`);
}

/** A trailing slash would make the kernel follow a last symlink. */
function trimEnd(path: string): string {
  let end = path.length;
  while (end > 1 && path.charCodeAt(end - 1) === 47) end--;
  return end === path.length ? path : path.slice(0, end);
}

/**
 * The path with `.`, `..` and doubled slashes taken out as if there were no symlinks, below `/`. For recognising
 * /dev, /proc and /sys; what is carried out is the path as it stands in the config.
 */
export function cleanPath(path: string): string {
  if (path.startsWith('/') && !path.includes('/.') && !path.includes('//')) return trimEnd(path);
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
