/** `/a/b` for `a//./x/../b`, lexically, `..` clamped at the root. Always starts with a slash, never ends with one but for '/'. */
export function normalisePath(path: string): string {
  // Nearly every path of a real config is in this form already.
  if (path.startsWith('/') && !path.includes('//') && !path.includes('/.') && !path.endsWith('/')) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
