/** The tables of src/bundle/shape.ts, from the JSON Schema. */
import { type GeneratedFile, header } from './generated-file.js';
import { readSchema, refName, type Schema } from './schema.js';

const definitions = readSchema('config').$defs ?? {};

/** Definitions in an order in which each comes after what it names. */
const ordered = new Map<string, string>();

const constant = (name: string): string => `${name[0]!.toLowerCase()}${name.slice(1)}Shape`;

function define(name: string): string {
  if (!ordered.has(name)) {
    const schema = definitions[name];
    if (schema === undefined) throw new Error(`no definition named ${name}`);
    ordered.set(name, shapeOf(schema));
  }
  return constant(name);
}

function keysOf(schema: Schema): string {
  const keys = Object.entries(schema.properties ?? {}).map(([key, value]) => `${key}: ${shapeOf(value)}`);
  return `{ __proto__: null, ${keys.join(', ')} } as never`;
}

/** The bounds as exact literals; JSON.parse has already rounded 2^63-1 and 2^64-1 up. */
function bound(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  return `${value > 0 ? BigInt(value) - 1n : BigInt(value)}n`;
}

function integerShape(schema: Schema): string {
  const { minimum, maximum } = schema;
  if (minimum === undefined || maximum === undefined) throw new Error('an integer of the config needs both bounds');
  return `{ is: 'integer', min: ${bound(minimum)}, max: ${bound(maximum)} }`;
}

function stringShape(schema: Schema): string {
  if (schema.enum)
    return `{ is: 'enum', names: { __proto__: null, ${schema.enum.map((n) => `${n}: true`).join(', ')} } as never }`;
  if (schema.pattern === undefined) return 'string';
  const prefix = /^\^([/\w:]+)$/.exec(schema.pattern)?.[1];
  return prefix === undefined
    ? `{ is: 'string', pattern: /${schema.pattern.replaceAll('/', '\\/')}/ }`
    : `{ is: 'string', prefix: '${prefix}' }`;
}

function shapeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return define(refName(schema.$ref));
  switch (schema.type) {
    case 'string':
      return stringShape(schema);
    case 'boolean':
      return 'boolean';
    case 'integer':
      return integerShape(schema);
    case 'array':
      return `{ is: 'array', item: ${shapeOf(schema.items ?? {})}, least: ${schema.minItems ?? 0} }`;
    case 'object':
      return objectShape(schema);
    default:
      throw new Error(`no shape for the type ${schema.type}`);
  }
}

function objectShape(schema: Schema): string {
  const closed = schema.additionalProperties === false;
  if (schema.properties) {
    return `{ is: 'object', keys: ${keysOf(schema)}, required: ${JSON.stringify(schema.required ?? [])}, closed: ${closed} }`;
  }
  const value = schema.additionalProperties;
  return typeof value === 'object' ? `{ is: 'map', value: ${shapeOf(value)} }` : `{ is: 'any object' }`;
}

export function generateConfigShapes(): GeneratedFile[] {
  const spec = shapeOf(readSchema('config'));
  const exported = new Set(['Process', 'Resources']);
  const lines = [...ordered].map(
    ([name, shape]) => `${exported.has(name) ? 'export ' : ''}const ${constant(name)}: Shape = ${shape};\n`,
  );
  const text = [
    header('generate-config-shapes.ts', 'schemas/'),
    "import type { Shape } from '../bundle/shape.js';\n\n",
    "const string: Shape = { is: 'string' };\nconst boolean: Shape = { is: 'boolean' };\n",
    ...lines,
    `export const ${constant('Spec')}: Shape = ${spec};\n`,
  ].join('');
  return [{ path: 'src/generated/config-shapes.ts', text }];
}
