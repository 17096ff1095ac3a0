import type { FunctionType } from './module.js';
import { cType } from './operations.js';

export const resultOf = ({ result }: FunctionType): string => (result === undefined ? 'void' : cType[result]);

const paramsOf = ({ params }: FunctionType): string => params.map((type) => cType[type]).join(', ') || 'void';

/** The type of a pointer to such a function. */
export const pointerTo = (type: FunctionType): string => `${resultOf(type)} (*)(${paramsOf(type)})`;

export const prototype = (type: FunctionType, name: string): string => `${resultOf(type)} ${name}(${paramsOf(type)});`;

/** The head of a definition; parameters are the first locals. */
export const definition = (type: FunctionType, name: string): string =>
  `${resultOf(type)} ${name}(${type.params.map((param, i) => `${cType[param]} l${i}`).join(', ') || 'void'})`;

/** Any name as part of a C identifier; different names stay different. */
export const mangled = (name: string): string =>
  [...new TextEncoder().encode(name)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return /[A-Ya-z0-9_]/.test(letter) ? letter : `Z${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');

/** Bytes as a string literal: a compiler reads that a hundred times quicker than a list of numbers. */
export const literal = (bytes: Uint8Array): string =>
  `"${Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}"`;
