/** The known name somebody may have meant. */

/** Edits (insert, delete, replace, swap of neighbours) that turn one text into the other; gives up beyond `limit`. */
function distance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let best = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        best = Math.min(best, beforeLast[column - 2]! + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length]!;
}

/**
 * The nearest of `names`, or undefined when none is near: about a third of the letters may differ. Case does not
 * count, and a name without its prefix is near (`NET_ADMIN` for `CAP_NET_ADMIN`).
 */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  if (wanted === '' || wanted.length > 100) return undefined;
  let limit = Math.max(1, Math.floor((wanted.length + 1) / 3));
  let found: string | undefined;
  for (const candidate of names) {
    const known = candidate.toLowerCase();
    if (known.endsWith(`_${wanted}`)) return candidate;
    const edits = distance(wanted, known, limit);
    if (edits > limit || (found !== undefined && edits === limit)) continue;
    found = candidate;
    limit = edits;
  }
  return found;
}

/** `did you mean 'x'?`, or undefined. */
export function suggestion(name: string, names: Iterable<string>): string | undefined {
  const near = nearest(name, names);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}
