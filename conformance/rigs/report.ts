// One line a finding, "N passed, N failed" at the end.
let passed = 0;
let failed = 0;
let rig = '';

/** What is reported from now on is this rig's: its name comes before that of a finding. */
export function begin(name: string): void {
  rig = name;
}

/** `problem` is empty when all is well. */
export function report(name: string, problem: string | readonly string[]): void {
  const text = typeof problem === 'string' ? problem : problem.join('\n');
  if (text === '') passed++;
  else failed++;
  if (text !== '') console.log(`not ok ${rig}: ${name}\n${text.replace(/^/gm, '  ')}`);
}

/** A summary line for people; findings that are right are only counted. */
export function finish(name: string, began: number, count: number): void {
  console.log(`ok     ${name}: ${count} rounds, ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

export function total(): number {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
