/** A config as lines that know their JSON pointer, without what may be a secret (security.md S53). */

export interface ConfigLine {
  readonly pointer: string;
  readonly text: string;
}

const hidden = '…';
const afterName = (entry: string): string =>
  entry.includes('=') ? `${entry.slice(0, entry.indexOf('='))}=${hidden}` : hidden;

/** Values of the environment, of annotations, and what programs are given: the name of a program is no secret. */
function redacted(pointer: string, value: string): string {
  if (/^\/process\/env\/\d+$|^\/hooks\/[^/]+\/\d+\/env\/\d+$/.test(pointer)) return afterName(value);
  if (/^\/annotations\//.test(pointer)) return hidden;
  if (/^\/process\/commandLine$|^\/linux\/seccomp\/listenerMetadata$/.test(pointer)) return hidden;
  return /^\/process\/args\/[1-9]\d*$|^\/hooks\/[^/]+\/\d+\/args\/[1-9]\d*$/.test(pointer) ? hidden : value;
}

const escapePart = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1');

export function configLines(value: unknown, pointer = '', indent = '', key = '', comma = ''): ConfigLine[] {
  const head = `${indent}${key === '' ? '' : `${JSON.stringify(key)}: `}`;
  if (typeof value !== 'object' || value === null) {
    const shown = typeof value === 'string' ? JSON.stringify(redacted(pointer, value)) : String(value);
    return [{ pointer, text: `${head}${shown}${comma}` }];
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return [{ pointer, text: `${head}${open}${close}${comma}` }];
  const inner = entries.flatMap(([name, item], index) =>
    configLines(
      item,
      `${pointer}/${escapePart(name)}`,
      `${indent}  `,
      isList ? '' : name,
      index < entries.length - 1 ? ',' : '',
    ),
  );
  return [{ pointer, text: `${head}${open}` }, ...inner, { pointer, text: `${indent}${close}${comma}` }];
}
