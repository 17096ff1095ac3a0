/** The kernel's list of CPUs or memory nodes: `0-3,7`, and as bitmap_parselist(9) takes it also `0-31:2/4`. */
const item = /^(\d{1,10})(?:-(\d{1,10})(?::\d{1,10}\/\d{1,10})?)?$/;

/** What is wrong with a list, or undefined. The empty list is fine here. */
export function faultInList(list: string): string | undefined {
  if (list === '') return undefined;
  for (const part of list.split(',')) {
    const match = item.exec(part);
    if (match === null) return `'${part}' is neither a number nor a range`;
    if (match[2] !== undefined && Number(match[2]) < Number(match[1]))
      return `the range '${part}' ends before it starts`;
  }
  return undefined;
}
