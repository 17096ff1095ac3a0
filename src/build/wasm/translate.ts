import { Body } from './body.js';
import { definition, literal, mangled, prototype } from './declare.js';
import { type FunctionType, type Module, readModule } from './module.js';
import { cType, type ValueType } from './operations.js';

export interface Signature {
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly result: ValueType | undefined;
  readonly cName: string;
}

export interface Translation {
  /** C files that are compiled one by one, with src/engine/prelude.h, and linked together. */
  readonly sources: readonly string[];
  /** What the host has to define, beside what prelude.h says. */
  readonly imports: readonly (Signature & { readonly module: string })[];
  readonly exports: readonly Signature[];
  /** Prototypes of both, of `wasm_start`, and the globals: what the host includes. */
  readonly header: string;
}

/**
 * Beside -O2: integers wrap, memory has no types, nothing of libc is expected (`sqrt` would set errno), and no multiplication
 * is joined with an addition, which would round once instead of twice (arm64).
 */
export const compilerFlags =
  '-std=gnu11 -w -ffreestanding -fwrapv -fno-strict-aliasing -fno-math-errno -ffp-contract=off'.split(' ');

declare const WebAssembly: { validate(bytes: Uint8Array): boolean };

const start = 'void wasm_start(void)';

interface Definition {
  readonly index: number;
  readonly text: string;
  readonly calls: ReadonlySet<number>;
}

/** Neighbours stay together: they come from one source file, and call each other. */
function divide(definitions: readonly Definition[], count: number): Definition[][] {
  const total = definitions.reduce((sum, { text }) => sum + text.length, 0);
  const units: Definition[][] = Array.from({ length: count }, () => []);
  let before = 0;
  for (const definition of definitions) {
    units[Math.min(count - 1, Math.floor((before * count) / total))]!.push(definition);
    before += definition.text.length;
  }
  return units;
}

const nameOf = ({ functions }: Module, index: number): string => {
  const imported = functions[index]!.imported;
  return imported === undefined ? `fn${index}` : `wasm_import_${mangled(imported[1])}`;
};

function translateBodies(module: Module, bytes: Uint8Array): Definition[] {
  const names = module.functions.map((_, index) => nameOf(module, index));
  const first = module.functions.findIndex(({ imported }) => imported === undefined);
  return module.bodies.map(({ from, to }, i) => {
    const index = first + i;
    const body = new Body(module, index, names);
    const statements = body.translate(from, to, bytes);
    const { type } = module.functions[index]!;
    return { index, text: `${definition(type, names[index]!)} {\n${statements}\n}`, calls: body.calls };
  });
}

/** What is only in the first file: the table, the globals, the data, the exports. */
function fixedParts(module: Module, exports: readonly Signature[]): string[] {
  const { types, functions, table, data, globals } = module;
  const slots = table.map((index) => {
    if (index === undefined) return '{~0u, 0}';
    return `{${types.indexOf(functions[index]!.type)}u, (void (*)(void))${nameOf(module, index)}}`;
  });
  const places = data.map(({ at, bytes }, i) => `  memcpy(WASM_AT(${at}u), data${i}, ${bytes.length});`);
  if (module.start !== undefined) places.push(`  ${nameOf(module, module.start)}();`);
  return [
    `const struct table_entry function_table[${table.length || 1}] = {${slots.join(', ') || '{~0u, 0}'}};`,
    ...globals.map(({ type, value }, i) => `${cType[type]} g${i} = ${value}ull;`),
    ...exports.map(({ cName, params, result }, i) => {
      const args = params.map((_, k) => `l${k}`).join(', ');
      const call = `${nameOf(module, module.exports[i]!.index)}(${args});`;
      return `${definition({ params, result }, cName)} { ${result === undefined ? '' : 'return '}${call} }`;
    }),
    ...data.map(({ bytes }, i) => `static const u8 data${i}[${bytes.length || 1}] = ${literal(bytes)};`),
    `${start} {\n${places.join('\n')}\n}`,
  ];
}

/** The functions that the first file's fixed parts name. */
const fixedCalls = ({ table, exports, start }: Module): Set<number> =>
  new Set([...table, start, ...exports.map(({ index }) => index)].filter((index) => index !== undefined));

function writeUnits(module: Module, units: readonly Definition[][], header: string, fixed: string[]): string[] {
  const { functions, table } = module;
  const named = units.map((unit) => new Set(unit.flatMap(({ calls }) => [...calls])));
  for (const index of fixedCalls(module)) named[0]!.add(index);
  const unitOf = new Map(units.flatMap((unit, i) => unit.map(({ index }) => [index, i] as const)));
  const isShared = (index: number) => named.some((set, i) => set.has(index) && unitOf.get(index) !== i);
  const storage = (index: number) => (isShared(index) ? '' : 'static ');
  return units.map((unit, i) => {
    const needed = new Set([...named[i]!, ...unit.map(({ index }) => index)]);
    const own = [...needed].filter((index) => functions[index]!.imported === undefined).sort((a, b) => a - b);
    return [
      header,
      `extern const struct table_entry function_table[${table.length || 1}];`,
      `#define TARGET(index, type) table_target(function_table, ${table.length}u, index, type)`,
      ...own.map((index) => `${storage(index)}${prototype(functions[index]!.type, nameOf(module, index))}`),
      ...unit.map(({ index, text }) => `${storage(index)}${text}`),
      ...(i === 0 ? fixed : []),
      '',
    ].join('\n');
  });
}

const signature = (type: FunctionType, name: string, cName: string): Signature => ({ ...type, name, cName });

/**
 * WebAssembly to C without libc: a plain function of the module's bytes. More than one unit is compiled sooner on more than
 * one core. Throws `Refused` for what the pinned module does not need.
 */
export function translate(bytes: Uint8Array, units = 1): Translation {
  if (!WebAssembly.validate(bytes)) throw new Error('this is no valid WebAssembly module');
  const module = readModule(bytes);
  const imports = module.functions.flatMap(({ type, imported }, index) =>
    imported === undefined ? [] : [{ ...signature(type, imported[1], nameOf(module, index)), module: imported[0] }],
  );
  const exports = module.exports.map(({ name, index }) =>
    signature(module.functions[index]!.type, name, `wasm_${mangled(name)}`),
  );
  const header = [
    '#include "prelude.h"',
    ...imports.map((item) => prototype(item, item.cName)),
    ...exports.map((item) => prototype(item, item.cName)),
    ...module.globals.map(({ type }, i) => `extern ${cType[type]} g${i};`),
    `${start};`,
    '',
  ].join('\n');
  const parts = divide(translateBodies(module, bytes), units);
  return { sources: writeUnits(module, parts, header, fixedParts(module, exports)), imports, exports, header };
}
