/** Every key of config.json, as the schema has it. */
import { readSchema, refName, type Schema } from './schema.js';

export interface Key {
  /** With `*` for an index or a name. */
  readonly pointer: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

const root = readSchema('config');

function resolve(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const { $ref, ...own } = schema;
  return { ...root.$defs![refName($ref)]!, ...own };
}

/** Bounds of 64 bits are no doubles, so they are named. */
const boundText = (bound: number): string => {
  if (bound === 2 ** 64) return '2^64-1';
  if (bound === 2 ** 63) return '2^63-1';
  return bound === -(2 ** 63) ? '-2^63' : String(bound);
};

function typeOf(schema: Schema): string {
  if (schema.enum) return `one of ${schema.enum.map((name) => `\`${name}\``).join(', ')}`;
  if (schema.type === 'integer') return `integer, ${boundText(schema.minimum!)} to ${boundText(schema.maximum!)}`;
  if (schema.type === 'array') {
    const item = resolve(schema.items!);
    const least = schema.minItems === undefined ? '' : `, at least ${schema.minItems}`;
    return `list of ${item.type === 'object' ? 'objects' : item.enum ? 'names' : `${item.type}s`}${least}`;
  }
  if (typeof schema.additionalProperties === 'object') {
    return `map of ${resolve(schema.additionalProperties).type === 'string' ? 'strings' : 'objects'}`;
  }
  return schema.pattern === undefined ? String(schema.type) : `${schema.type} matching \`${schema.pattern}\``;
}

function* keysBelow(schema: Schema, at: string): Generator<Key> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    yield* keysOf(property, `${at}/${name}`, schema.required?.includes(name) ?? false);
  }
  if (schema.items) {
    const item = resolve(schema.items);
    if (item.enum) yield keyOf(item, `${at}/*`, false);
    else yield* keysBelow(item, `${at}/*`);
  }
  if (typeof schema.additionalProperties === 'object')
    yield* keysBelow(resolve(schema.additionalProperties), `${at}/*`);
}

const keyOf = (schema: Schema, pointer: string, required: boolean): Key => ({
  pointer,
  type: typeOf(schema),
  required,
  description: schema.description ?? '',
});

function* keysOf(unresolved: Schema, pointer: string, required: boolean): Generator<Key> {
  const schema = resolve(unresolved);
  yield keyOf(schema, pointer, required);
  yield* keysBelow(schema, pointer);
}

/** In the schema's order, parents first. */
export const schemaKeys = (): Key[] => [...keysBelow(root, '')];
