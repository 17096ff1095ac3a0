#!/usr/bin/env bash
# QuickJS-ng 0.12.1 as WebAssembly (npm: @jitl/quickjs-ng-wasmfile-release-sync 0.32.0 with quickjs-emscripten-core 0.32.0, Node 20):
# numbers that fit in 64 bits come out otherwise than ECMAScript says.
#
#   BigInt.asUintN(64, -1n)            is -1, and should be 18446744073709551615: the sign survives the cut. So it is for every width
#                                      whose highest bit is set in the result, 32 bits (asUintN(32, 0xc000003en)) among them.
#   -4000000000 < -1n                  is false, and should be true: a Number of -2147483648 or less and a negative BigInt are compared
#                                      the wrong way round. -2147483647 is right, positive numbers are, two BigInts are.
#
# Seen when a filter was compiled for an audit architecture (0xC000003E) through an engine of that build: the token became negative;
# and when a clock offset of -4000000000 s was held against the least 64-bit integer of a JSON schema: it was refused as too small.
# Exit 0 while it is so; 1 when one of the answers is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund quickjs-emscripten-core@0.32.0 @jitl/quickjs-ng-wasmfile-release-sync@0.32.0
cat >look.mjs <<'JS'
import { newQuickJSWASMModuleFromVariant } from 'quickjs-emscripten-core';
import variant from '@jitl/quickjs-ng-wasmfile-release-sync';

const context = (await newQuickJSWASMModuleFromVariant(variant)).newContext();
const ask = (text) => context.unwrapResult(context.evalCode(`String(${text})`)).consume(context.getString);
const rows = [
  // expression, seen, as ECMAScript has it
  ['BigInt.asUintN(64, -1n)', '-1', '18446744073709551615'],
  ['BigInt.asUintN(32, 0xc000003en)', '-1073741762', '3221225534'],
  ['BigInt.asUintN(64, 0x8000000000000000n)', '-9223372036854775808', '9223372036854775808'],
  ['BigInt.asUintN(32, 0x7ffffffen)', '2147483646', '2147483646'],
  ['-4000000000 < -1n', 'false', 'true'],
  ['-4000000000 < -9223372036854775808n', 'true', 'false'],
  ['-2147483647 < -1n', 'true', 'true'],
  ['4000000000 > 1n', 'true', 'true'],
  ['-4000000000n < -1n', 'true', 'true'],
];
let other = 0;
for (const [text, seen, standard] of rows) {
  const answer = ask(text);
  const node = String((0, eval)(text));
  console.log(`${text.padEnd(44)} QuickJS-ng ${answer.padEnd(22)} Node ${node}`);
  if (answer !== seen || node !== standard) other++;
}
console.log(other === 0 ? 'as described' : `${other} answers are others than described`);
process.exit(other === 0 ? 0 : 1);
JS
node look.mjs
