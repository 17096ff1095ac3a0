/**
 * Pointer and summary of a step that goes through a list (`each` in ops.json): `{}` in the summary stands for one of the list, and a number
 * at the end of the pointer is that of the first.
 */
const mark = '{}';

/** Pointer and summary for one of a list. */
export function noteOfItem(pointer: string, summary: string, index: number, item: string): readonly [string, string] {
  const slash = pointer.lastIndexOf('/');
  const first = Number(pointer.slice(slash + 1) || Number.NaN);
  const at = Number.isNaN(first) ? pointer : `${pointer.slice(0, slash + 1)}${first + index}`;
  return [at, summary.replace(mark, () => item)];
}

/** The same for all of them: `mask /proc/acpi and 11 more`. */
export function noteOfAll(pointer: string, summary: string, items: readonly string[]): readonly [string, string] {
  const [first = '', ...others] = items;
  return [pointer, summary.replace(mark, () => (others.length === 0 ? first : `${first} and ${others.length} more`))];
}
