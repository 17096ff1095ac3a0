/** Annotations `org.systemd.property.NAME` as unit properties; values are GVariant text, as runc and crun read them. */
import type { StringMap } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import { annotatedProperties, refusedProperties, type UnitProperty } from '../../tables/systemd.js';

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

const infinity = 2n ** 64n - 1n;

/** A count of what is given, `scale` to one; 'infinity' is as systemd's own files have it. */
function countOf({ signature, value }: Parsed, scale: bigint): Parsed | undefined {
  if (value === 'infinity') return { signature: 't', value: String(infinity) };
  if (signature === 'd') {
    const scaled = Math.round(Number(value) * Number(scale));
    return scale > 1n && scaled >= 0 && scaled < 2 ** 64
      ? { signature: 't', value: String(BigInt(scaled)) }
      : undefined;
  }
  if (!'ynqiuxt'.includes(signature)) return undefined;
  const count = BigInt(value as string | number);
  // All ones is systemd's own infinity, whatever the unit.
  const scaled = count === infinity ? infinity : count * scale;
  return scaled >= 0n && scaled <= infinity ? { signature: 't', value: String(scaled) } : undefined;
}

/** The value as systemd wants it: people write `5`, which is an int32, where it wants a uint64. */
function asType(parsed: Parsed, wanted: UnitProperty['signature'], scale: bigint): Parsed | undefined {
  if (wanted === 't') return countOf(parsed, scale);
  if (wanted === parsed.signature) return parsed;
  if (wanted === 'i' && 'ynqiuxt'.includes(parsed.signature)) {
    return parseNumber(String(parsed.value), wanted);
  }
  return undefined;
}

const described: { readonly [signature: string]: string } = {
  as: "a list of strings: ['…', '…']",
  b: 'true or false',
  i: 'a number',
  s: "a string: '…'",
  t: "a number that is not negative, or 'infinity'",
};

/** systemd's documentation says `TimeoutStopSec`, its bus `TimeoutStopUSec`. */
function busName(name: string): { readonly name: string; readonly scale: bigint } {
  const micro = `${name.slice(0, -3)}USec`;
  return name.endsWith('Sec') && annotatedProperties.has(micro)
    ? { name: micro, scale: 1_000_000n }
    : { name, scale: 1n };
}

function annotationProperty(key: string, text: string): UnitProperty {
  const pointer = `/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const written = key.slice(prefix.length);
  const { name, scale } = busName(written);
  const wanted = annotatedProperties.get(name);
  if (wanted === undefined) {
    const reason = refusedProperties.get(name);
    return fail(code, `the unit property '${written}' cannot be set by an annotation`, {
      pointer,
      ...(reason === undefined ? {} : { detail: `it ${reason}` }),
      hint: 'docs/config/annotations.md has those that can',
    });
  }
  const parsed = parseVariant(text);
  const value = parsed && asType(parsed, wanted, scale);
  if (value === undefined) {
    const hint = "values are GVariant text, such as 'uint64 5' or \"'text'\"";
    return fail(code, `'${text}' is no value for ${written}, which takes ${described[wanted]}`, { pointer, hint });
  }
  return { name, ...value };
}

/** @throws TSR_SYSTEMD_PROPERTY for a name that is not allowed or a value that is not of its type. */
export function annotationProperties(annotations: StringMap): UnitProperty[] {
  return Object.keys(annotations)
    .filter((key) => key.startsWith(prefix))
    .map((key) => annotationProperty(key, annotations[key]!));
}
