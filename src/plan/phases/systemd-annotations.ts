/** Annotations `org.systemd.property.NAME` as unit properties; values are GVariant text, as runc and crun read them. */
import type { StringMap } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import { annotatedProperties, type UnitProperty } from '../../tables/systemd.js';

const prefix = 'org.systemd.property.';
const code = 'TSR_SYSTEMD_PROPERTY';

const typeNames = new Map<string, UnitProperty['signature']>([
  ['byte', 'y'],
  ['int16', 'n'],
  ['uint16', 'q'],
  ['int32', 'i'],
  ['uint32', 'u'],
  ['int64', 'x'],
  ['uint64', 't'],
  ['double', 'd'],
  ['string', 's'],
  ['boolean', 'b'],
]);

type Parsed = Pick<UnitProperty, 'signature' | 'value'>;

function parseNumber(text: string, signature: UnitProperty['signature']): Parsed | undefined {
  if (signature === 'd' || (signature === 'i' && /^[-+]?\d*\.\d+$/.test(text))) {
    return /^[-+]?(\d+\.?\d*|\.\d+)$/.test(text) ? { signature: 'd', value: Number(text) } : undefined;
  }
  if (!/^[-+]?(0x[0-9a-fA-F]+|\d+)$/.test(text)) return undefined;
  const negative = text.startsWith('-');
  const value = BigInt(text.replace(/^[-+]/, '')) * (negative ? -1n : 1n);
  const bits = { y: 8, n: 16, q: 16, i: 32, u: 32, x: 64, t: 64 }[signature as string];
  if (bits === undefined) return undefined;
  const signed = signature === 'n' || signature === 'i' || signature === 'x';
  const fits = signed ? BigInt.asIntN(bits, value) === value : BigInt.asUintN(bits, value) === value;
  if (!fits) return undefined;
  return { signature, value: bits === 64 ? String(value) : Number(value) };
}

/** Quoted text: both quotes, and the escapes that JSON shares with GVariant. */
function parseString(text: string): string | undefined {
  const quote = text[0];
  if ((quote !== "'" && quote !== '"') || text.length < 2 || text.at(-1) !== quote) return undefined;
  const inner = text.slice(1, -1);
  if (quote === "'" ? /(^|[^\\])(\\\\)*'/.test(inner) : /(^|[^\\])(\\\\)*"/.test(inner)) return undefined;
  return inner.replace(/\\(.)/g, (_, character: string) => ({ n: '\n', t: '\t', r: '\r' })[character] ?? character);
}

/** The subset that properties of a unit need: booleans, numbers, strings, arrays of strings, with or without a type name. */
export function parseVariant(text: string): Parsed | undefined {
  const trimmed = text.trim();
  const typed = /^([a-z][a-z0-9]*)\s+(.*)$/s.exec(trimmed);
  const signature = typed && typeNames.get(typed[1]!);
  if (typed && signature) {
    const value = parseVariant(typed[2]!);
    if (signature === 's' || signature === 'b') return value?.signature === signature ? value : undefined;
    return parseNumber(typed[2]!.trim(), signature);
  }
  if (trimmed === 'true' || trimmed === 'false') return { signature: 'b', value: trimmed === 'true' };
  const string = parseString(trimmed);
  if (string !== undefined) return { signature: 's', value: string };
  if (trimmed.startsWith('[') && trimmed.endsWith(']')) {
    const items = (trimmed.slice(1, -1).match(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g) ?? []).map(parseString);
    const rest = trimmed
      .slice(1, -1)
      .replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g, '')
      .replace(/[\s,]/g, '');
    return rest === '' && items.length > 0 && items.every((item) => item !== undefined)
      ? { signature: 'as', value: items as string[] }
      : undefined;
  }
  return parseNumber(trimmed, 'i');
}

/** systemd's documentation says `TimeoutStopSec`, its bus `TimeoutStopUSec`. */
function inMicroseconds(name: string, parsed: Parsed): Parsed & { readonly name: string } {
  const match = /^(.*[a-z])Sec$/.exec(name);
  if (!match) return { name, ...parsed };
  if (typeof parsed.value === 'boolean' || !/^[ynqiuxtd]$/.test(parsed.signature)) return { name, ...parsed };
  const value =
    parsed.signature === 'd'
      ? BigInt(Math.round(Number(parsed.value) * 1e6))
      : BigInt(parsed.value as string | number) * 1_000_000n;
  return { name: `${match[1]}USec`, signature: 't', value: String(value) };
}

/** @throws TSR_SYSTEMD_PROPERTY for a name that is not allowed or a value that cannot be read. */
export function annotationProperties(annotations: StringMap): UnitProperty[] {
  const properties: UnitProperty[] = [];
  for (const key of Object.keys(annotations)) {
    if (!key.startsWith(prefix)) continue;
    const pointer = `/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const parsed = parseVariant(annotations[key]!);
    if (parsed === undefined) {
      fail(code, `'${annotations[key]}' is no value of a unit property`, {
        pointer,
        hint: "GVariant text, such as 'uint64 5' or \"'text'\"",
      });
    }
    const property = inMicroseconds(key.slice(prefix.length), parsed);
    if (!annotatedProperties.has(property.name)) {
      fail(code, `the unit property '${property.name}' cannot be set by an annotation`, {
        pointer,
        hint: `allowed are ${[...annotatedProperties].join(', ')}`,
      });
    }
    properties.push(property);
  }
  return properties;
}
