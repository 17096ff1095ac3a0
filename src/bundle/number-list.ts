/** The kernel's list of CPUs or memory nodes: `0-3,7`, and as bitmap_parselist(9) takes it also `0-31:2/4`. */
const item = /^(\d{1,10})(?:-(\d{1,10})(?::(\d{1,10})\/(\d{1,10}))?)?$/;
/** Far above CONFIG_NR_CPUS and MAX_NUMNODES of any kernel: a mask of a page, the most that set_mempolicy(2) takes. */
const largest = 32_767;

/** What is wrong with a list, or undefined. The empty list is fine here. */
export function faultInList(list: string): string | undefined {
  if (list === '') return undefined;
  for (const part of list.split(',')) {
    const match = item.exec(part);
    if (match === null) return `'${part}' is neither a number nor a range`;
    if (match[2] !== undefined && Number(match[2]) < Number(match[1]))
      return `the range '${part}' ends before it starts`;
    if (Number(match[2] ?? match[1]) > largest) return `'${part}' goes beyond ${largest}, and no kernel has so many`;
    // bitmap_parselist(9): the first `used` of each `group`.
    const [used, group] = [Number(match[3]), Number(match[4])];
    if (match[4] !== undefined && (group === 0 || used === 0 || used > group))
      return `'${part}' does not take a part of each group`;
  }
  return undefined;
}
