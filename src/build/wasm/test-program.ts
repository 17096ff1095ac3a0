/** Runs a module twice, by Node's own WebAssembly and as C that was made from it, and compares every answer. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeModule, type TestModule } from './test-encoder.js';
import { compilerFlags, translate } from './translate.js';

/** One call of an exported function, which takes and gives integers only, floats as their bits: JavaScript may change a NaN. */
export interface Call {
  readonly name: string;
  readonly args: readonly bigint[];
  /** The result is the bits of such a number, computed: every NaN is as good as any other. */
  readonly anyNaN?: 'f32' | 'f64' | undefined;
}

interface Instance {
  readonly exports: Readonly<Record<string, (...args: (bigint | number)[]) => bigint | number | undefined>>;
}
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => Instance;
  Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer };
  RuntimeError: new () => Error;
};

/** What imports answer in both worlds. */
export const imported = (argument: number): number => (Math.imul(argument, 3) + 7) | 0;

const hash = (bytes: Uint8Array): bigint => {
  let sum = 5381;
  for (const byte of bytes) sum = (Math.imul(sum, 33) + byte) | 0;
  return BigInt.asUintN(32, BigInt(sum));
};

function byNode(module: TestModule, bytes: Uint8Array, calls: readonly Call[]): string[] {
  const memory = new WebAssembly.Memory({ initial: module.pages ?? 1 });
  const host = Object.fromEntries((module.imports ?? []).map((name) => [name, imported]));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { a: { memory, ...host } });
  const paramsOf = new Map(module.functions.map(({ name, params }) => [name, params]));
  const lines = calls.map(({ name, args }) => {
    const types = paramsOf.get(name)!;
    const values = args.map((arg, i) => (types[i] === 'i64' ? arg : Number(BigInt.asIntN(32, arg))));
    try {
      const result = exports[name]!(...values);
      if (result === undefined) return 'done';
      return BigInt.asUintN(typeof result === 'bigint' ? 64 : 32, BigInt(result)).toString(16);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) return 'trap';
      throw error;
    }
  });
  return [...lines, hash(new Uint8Array(memory.buffer)).toString(16)];
}

/** What is out of bounds ends in SIGSEGV, everything else that traps in wasm_trap(). */
const host = `
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include "module.h"
u32 wasm_pages = PAGES, wasm_lasting;
static sigjmp_buf escape;
void wasm_trap(void) { siglongjmp(escape, 1); }
static void fault(int signal, siginfo_t *info, void *context) {
  u64 at = (u64)info->si_addr;
  siglongjmp(escape, at >= WASM_BASE && at < WASM_BASE + WASM_RESERVED ? 1 : 2);
}
struct call { u64 function, args[4]; };
static u32 give(const struct call *c, u64 *result);
int main(void) {
  if (mmap((void *)WASM_BASE, WASM_RESERVED, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED) return 2;
  if (mprotect((void *)WASM_BASE, PAGES * WASM_PAGE, PROT_READ | PROT_WRITE) != 0) return 3;
  sigaction(SIGSEGV, &(struct sigaction){.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_NODEFER}, NULL);
  wasm_start();
  for (struct call c; fread(&c, sizeof c, 1, stdin) == 1;) {
    u64 result;
    u32 way = sigsetjmp(escape, 0);
    if (way != 0) puts(way == 1 ? "trap" : "fault outside");
    else if (give(&c, &result)) printf("%llx\\n", result);
    else puts("done");
  }
  u32 sum = 5381;
  for (u32 i = 0; i < PAGES * WASM_PAGE; i++) sum = sum * 33 + ((u8 *)WASM_BASE)[i];
  printf("%x\\n", sum);
}
`;

function programOf({ functions, imports = [], pages = 1 }: TestModule): string {
  const cases = functions.map(({ name, params, result }, i) => {
    const call = `wasm_${name}(${params.map((_, k) => `c->args[${k}]`).join(', ')})`;
    return `case ${i}: ${result === undefined ? `${call}; return 0` : `*result = ${call}; return 1`};`;
  });
  const answers = imports.map((name) => `u32 wasm_import_${name}(u32 a) { return a * 3 + 7; }`);
  const give = `static u32 give(const struct call *c, u64 *result) {\nswitch (c->function) {\n${cases.join('\n')}\n}\n}`;
  return [`#define PAGES ${pages}u`, host, ...answers, give, ''].join('\n');
}

/** As the program reads them: the function's number, and four arguments. */
function encodeCalls({ functions }: TestModule, calls: readonly Call[]): Uint8Array {
  const words = new BigUint64Array(calls.length * 5);
  const numbers = new Map(functions.map(({ name }, i) => [name, BigInt(i)]));
  for (const [i, { name, args }] of calls.entries()) words.set([numbers.get(name)!, ...args], i * 5);
  return new Uint8Array(words.buffer);
}

function byC(module: TestModule, bytes: Uint8Array, calls: readonly Call[], units: number): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-wasm-'));
  const cc = (...args: string[]) => {
    const { status, stderr } = spawnSync('cc', ['-w', '-I', 'src/engine', ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr.slice(0, 2000));
  };
  try {
    const { sources, header } = translate(bytes, units);
    writeFileSync(join(folder, 'module.h'), header);
    writeFileSync(join(folder, 'host.c'), programOf(module));
    const objects = sources.map((source, i) => {
      const file = join(folder, `unit${i}`);
      writeFileSync(`${file}.c`, source);
      cc('-O2', ...compilerFlags, '-c', `${file}.c`, '-o', `${file}.o`);
      return `${file}.o`;
    });
    cc('-O0', '-o', join(folder, 'program'), join(folder, 'host.c'), ...objects);
    const { stdout, status, signal } = spawnSync(join(folder, 'program'), {
      input: encodeCalls(module, calls),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      timeout: 60_000, // a loop that went wrong has no end
    });
    assert.is(status, 0, `the program ended with ${signal ?? status} after ${stdout.slice(-200)}`);
    return stdout.trimEnd().split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function isNaNOf(type: 'f32' | 'f64', hex: string): boolean {
  const bits = BigInt(`0x${hex}`);
  return type === 'f32' ? (bits & 0x7fffffffn) > 0x7f800000n : (bits & ~(1n << 63n)) > 0x7ff0000000000000n;
}

/** All calls, one after the other in one instance; what memory holds at the end is compared, too. */
export function sameAsNode(module: TestModule, calls: readonly Call[], units = 1): void {
  const bytes = encodeModule(module);
  const wanted = byNode(module, bytes, calls);
  const got = byC(module, bytes, calls, units);
  assert.is(got.length, wanted.length);
  for (const [i, line] of got.entries()) {
    const call = calls[i];
    const { anyNaN } = call ?? {};
    if (line === wanted[i]) continue;
    if (anyNaN !== undefined && line !== 'trap' && wanted[i] !== 'trap')
      if (isNaNOf(anyNaN, line) && isNaNOf(anyNaN, wanted[i]!)) continue;
    const what = call === undefined ? 'memory' : `${call.name}(${call.args.map((arg) => `0x${arg.toString(16)}`)})`;
    assert.is(line, wanted[i], `${what} gives ${line}, and ${wanted[i]} in Node`);
  }
}
