/**
 * The door to native libraries under Node, and the only importer of koffi; the small engine's is small/ffi.ts. Loading costs some
 * milliseconds, so nothing here happens before the first `openLibrary`, and a plain create, start, state, kill or delete never comes this far.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { fail } from '../errors/error.js';

/** A pointer as it came from a call; only to be handed back. */
export type Pointer = object | bigint | null;
/** What crosses the border. 64-bit results are `number` while exact and `bigint` beyond. */
export type NativeValue = number | bigint | string | boolean | Uint8Array | Pointer | undefined;
export type NativeFunction<Result extends NativeValue> = (...values: NativeValue[]) => Result;

export interface NativeLibrary {
  /**
   * Binds a function. Types are C's: `int`, `uint32_t`, `uint64_t`, `long`, `str` (copied, NUL-terminated), `void *`
   * (a Uint8Array passes the address of its bytes for the time of the call). `bindIfThere` answers undefined for a missing symbol.
   */
  bind<Result extends NativeValue>(name: string, result: string, parameters: readonly string[]): NativeFunction<Result>;
  bindIfThere<Result extends NativeValue>(
    name: string,
    result: string,
    parameters: readonly string[],
  ): NativeFunction<Result> | undefined;
  /**
   * Binds a function that gives an `int`, to be called with each text or number of a list in the place `varying`: where the library is
   * in another process, one question for all. `values` are numbers, pointers and bytes, which the callee leaves alone.
   */
  bindEach(name: string, parameters: readonly string[], varying: number): EachFunction;
  /** The same with lists in some places, all as long as each other: a call for each row of them. */
  bindRows(name: string, parameters: readonly string[]): RowsFunction;
}

/** Pointers to places in bytes; -1 for none. */
export interface Places {
  readonly bytes: Uint8Array;
  readonly places: readonly number[];
}

export type RowsFunction = (values: readonly (number | Pointer | readonly number[] | Places)[]) => number[];

const isPlaces = (value: unknown): value is Places => typeof value === 'object' && value !== null && 'places' in value;

export type EachFunction = (
  values: readonly (number | Pointer | Uint8Array)[],
  list: readonly string[] | readonly number[],
) => number[];

let loaded: typeof Koffi | undefined;

function koffi(): typeof Koffi {
  if (loaded) return loaded;
  try {
    loaded = createRequire(import.meta.url)('koffi') as typeof Koffi;
  } catch (error) {
    fail('TSR_FFI_LOAD', 'cannot load koffi, the bridge to native libraries', {
      detail: firstLine(error),
      hint: "run 'npm install'",
    });
  }
  return loaded;
}

const firstLine = (error: unknown): string => String((error as Error | null)?.message ?? error).split('\n')[0] ?? '';

/** Opens a library by absolute path or soname; null is the process itself, and with it the C library. */
export function openLibrary(path: string | null): NativeLibrary {
  const door = koffi();
  let library: ReturnType<typeof door.load>;
  try {
    library = door.load(path);
  } catch (error) {
    fail('TSR_FFI_LIBRARY', `cannot load the library '${path ?? 'libc'}'`, { detail: firstLine(error) });
  }
  const bind = (name: string, result: string, parameters: readonly string[]) =>
    library.func(name, result, [...parameters]) as unknown as NativeFunction<never>;
  return {
    bind,
    bindEach(name, parameters, varying) {
      const call = bind(name, 'int', parameters) as NativeFunction<number>;
      return (values, list) =>
        list.map((value) => call(...values.map((other, index) => (index === varying ? value : other))));
    },
    bindRows(name, parameters) {
      const call = bind(name, 'int', parameters) as NativeFunction<number>;
      return (values) => {
        const list = values.map((value) => (isPlaces(value) ? value.places : value)).find(Array.isArray) ?? [];
        const at = (value: (typeof values)[number], row: number): NativeValue => {
          if (isPlaces(value)) return value.places[row]! < 0 ? null : value.bytes.subarray(value.places[row]);
          return Array.isArray(value) ? (value[row] as number) : (value as NativeValue);
        };
        return (list as number[]).map((_, row) => call(...values.map((value) => at(value, row))));
      };
    },
    bindIfThere(name, result, parameters) {
      try {
        return bind(name, result, parameters);
      } catch {
        // koffi knows one reason to refuse here: the symbol is not there.
        return undefined;
      }
    },
  };
}

/** `count` 32-bit words behind a pointer. */
export const readWords = (pointer: Pointer, count: number): number[] => [...koffi().decode(pointer, 'uint32_t', count)];

/** errno of the last native call. Read it at once: the engine makes calls of its own in between. */
export const lastErrno = (): number => koffi().errno();

/** Whether koffi is in this process already; for tests that a path does without. */
export const isLoaded = (): boolean => loaded !== undefined;
