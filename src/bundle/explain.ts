/** ajv's errors as failures that name the key, the value and the fix. Loaded only after a document was refused (explainer.ts). */
import type { Failure } from '../errors/error.js';
import { validateProcess, validateResources, validateSpec } from '../generated/validators.js';
import { describe, quote, quoteList } from './describe.js';
import { provideExplainer } from './explainer.js';
import { nearest } from './nearest.js';
import { escapeKey, pathOf, valueAt } from './pointer.js';
import { mostFindings } from './rule.js';

/** What the generated validators leave behind. */
export interface AjvError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: {
    readonly type?: string;
    readonly missingProperty?: string;
    readonly additionalProperty?: string;
    readonly allowedValues?: readonly string[];
    readonly limit?: number;
    readonly pattern?: string;
  };
}

export interface AjvValidator {
  (value: unknown): boolean;
  errors?: readonly AjvError[] | null;
}

const article: ReadonlyMap<string, string> = new Map([
  ['string', 'a string'],
  ['boolean', 'true or false'],
  ['integer', 'an integer'],
  ['array', 'an array'],
  ['object', 'an object'],
]);

/** What the patterns of the schema mean. A test holds the list against the schema. */
const patternTexts: ReadonlyMap<string, string> = new Map([
  ['^/', "must be an absolute path, starting with '/'"],
  ['^[rwm]{1,3}$', "must be one to three of the letters 'r', 'w' and 'm'"],
  ['^[1-9][0-9]*[KMG]B$', "must be a size such as '64KB', '2MB' or '1GB'"],
  ['^MB:[^\\n]*$', "must be one line that starts with 'MB:'"],
]);

/** Everything wrong with the shape of a document, in the order of the schema; at most one failure a place, and not without end. */
export function explainShape(document: unknown, validator: AjvValidator): Failure[] {
  if (validator(document)) return [];
  const found = new Map<string, Failure>();
  for (const error of (validator.errors ?? []).slice(0, mostFindings)) {
    const failure = explainError(document, error);
    const pointer = failure.pointer ?? '';
    if (!found.has(pointer)) found.set(pointer, failure);
  }
  return [...found.values()];
}

function explainError(document: unknown, error: AjvError): Failure {
  const { instancePath: pointer, params } = error;
  const value = valueAt(document, pathOf(pointer));
  switch (error.keyword) {
    case 'type':
      return explainType(pointer, value, params.type ?? '');
    case 'required':
      return explainMissing(pointer, value, params.missingProperty ?? '');
    case 'enum':
      return explainName(pointer, value, params.allowedValues ?? []);
    case 'minimum':
    case 'maximum': {
      const than = error.keyword === 'minimum' ? 'at least' : 'at most';
      return {
        code: 'TSR_CONFIG_RANGE',
        pointer,
        message: `must be ${than} ${exact(params.limit)}, not ${shown(pointer, value)}`,
      };
    }
    case 'minItems':
      return { code: 'TSR_CONFIG_EMPTY', pointer, message: 'must not be empty', hint: 'add an entry' };
    case 'pattern': {
      const text = patternTexts.get(params.pattern ?? '') ?? `must match ${params.pattern}`;
      return { code: 'TSR_CONFIG_FORMAT', pointer, message: `${text}, not ${shown(pointer, value)}` };
    }
    case 'additionalProperties': {
      const key = params.additionalProperty ?? '';
      const hint = "the clocks are 'monotonic' and 'boottime'";
      return {
        code: 'TSR_CONFIG_NAME',
        pointer: `${pointer}/${escapeKey(key)}`,
        message: `unknown clock ${quote(key)}`,
        hint,
      };
    }
    default:
      return { code: 'TSR_CONFIG_FORMAT', pointer, message: `breaks the rule '${error.keyword}' of the schema` };
  }
}

/** The bound as the specification writes it, not as a double rounds it. */
function exact(limit: number | undefined): string {
  if (limit === 2 ** 63) return '9223372036854775807';
  if (limit === 2 ** 64) return '18446744073709551615';
  return limit === -(2 ** 63) ? '-9223372036854775808' : String(limit);
}

/** A value for a message. Environments hold secrets, which errors must not repeat (security.md S53). */
function shown(pointer: string, value: unknown): string {
  return /\/env(?:\/[0-9]+)?$/.test(pointer) && typeof value === 'string' ? 'the text that is there' : describe(value);
}

function explainType(pointer: string, value: unknown, type: string): Failure {
  const wanted = article.get(type) ?? type;
  if (pointer === '') {
    return { code: 'TSR_CONFIG_TYPE', pointer, message: `the document must be ${wanted}, not ${describe(value)}` };
  }
  const message = `must be ${wanted}, not ${shown(pointer, value)}`;
  const hint = typeHint(value, type);
  return { code: 'TSR_CONFIG_TYPE', pointer, message, ...(hint === undefined ? {} : { hint }) };
}

function typeHint(value: unknown, type: string): string | undefined {
  if (value === null) return 'null stands for nothing only at optional keys';
  if (type === 'integer' && typeof value === 'string' && /^-?[0-9]+$/.test(value)) return 'remove the quotes';
  if (type === 'boolean' && (value === 'true' || value === 'false')) return 'remove the quotes';
  if (type === 'array' && typeof value === 'string') return 'put it into brackets';
  return undefined;
}

function explainMissing(pointer: string, value: unknown, key: string): Failure {
  const near = nearest(key, Object.keys(value as object));
  return {
    code: 'TSR_CONFIG_MISSING',
    pointer: `${pointer}/${escapeKey(key)}`,
    message: `the required key '${key}' is missing`,
    hint: near === undefined ? `add '${key}'` : `is ${quote(near)} meant to be '${key}'?`,
  };
}

function explainName(pointer: string, value: unknown, allowed: readonly string[]): Failure {
  const near = typeof value === 'string' ? nearest(value, allowed) : undefined;
  return {
    code: 'TSR_CONFIG_NAME',
    pointer,
    message: `${shown(pointer, value)} is not known here`,
    hint: near === undefined ? `use ${quoteList(allowed)}` : `did you mean '${near}'?`,
  };
}

const validators = { spec: validateSpec, process: validateProcess, resources: validateResources };
provideExplainer((document, name) => explainShape(document, validators[name] as AjvValidator));
