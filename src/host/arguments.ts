import { decodeLossless } from '../tables/lossless-text.js';
import { expectRawPaths } from './files.js';
import { fs } from './fs.js';

/**
 * The arguments after the program's name, byte-exact: JavaScript engines replace what is no UTF-8 by U+FFFD,
 * so where that character shows up the kernel's copy is read instead (see tables/lossless-text.ts).
 */
export function commandLine(): string[] {
  const args = process.argv.slice(2);
  if (!args.some((argument) => argument.includes('\ufffd'))) return args;
  const bytes = fs.readFileSync('/proc/self/cmdline');
  const fields: string[] = [];
  let from = 0;
  for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, from)) {
    fields.push(decodeLossless(bytes.subarray(from, end)));
    from = end + 1;
  }
  expectRawPaths();
  return fields.slice(fields.length - args.length);
}
