/** A config as lines that know their JSON pointer, without what may be a secret (security.md S53). */
import { escapeKey, redact } from './config-text.js';

export interface ConfigLine {
  readonly pointer: string;
  readonly text: string;
}

export const configLines = (config: unknown): ConfigLine[] => linesOf(redact(config), '', '', '', '');

function linesOf(value: unknown, pointer: string, indent: string, key: string, comma: string): ConfigLine[] {
  const head = `${indent}${key === '' ? '' : `${JSON.stringify(key)}: `}`;
  if (typeof value !== 'object' || value === null) {
    const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
    return [{ pointer, text: `${head}${shown}${comma}` }];
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return [{ pointer, text: `${head}${open}${close}${comma}` }];
  const inner = entries.flatMap(([name, item], index) =>
    linesOf(
      item,
      `${pointer}/${escapeKey(name)}`,
      `${indent}  `,
      isList ? '' : name,
      index < entries.length - 1 ? ',' : '',
    ),
  );
  return [{ pointer, text: `${head}${open}` }, ...inner, { pointer, text: `${indent}${close}${comma}` }];
}
