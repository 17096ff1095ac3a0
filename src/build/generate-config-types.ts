/** TypeScript types of config.json, state and features, from the JSON Schemas. */
import { type GeneratedFile, header } from './generated-file.js';
import { isInteger64, readSchema, refName, type Schema } from './schema.js';

const definitions = readSchema('config').$defs ?? {};

const preamble = `
/** A 64-bit integer: a number while that is exact, a bigint beyond 2^53-1. */
export type Integer64 = number | bigint;
`;

function quoteKey(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? key : `'${key}'`;
}

function comment(schema: Schema, indent: string): string {
  return schema.description === undefined ? '' : `${indent}/** ${schema.description} */\n`;
}

/** An interface's body, or a map's index signature. */
function objectType(schema: Schema, indent: string): string {
  const inner = `${indent}  `;
  if (schema.properties === undefined) {
    const value = schema.additionalProperties;
    return `{ readonly [name: string]: ${typeof value === 'object' ? typeOf(value, inner) : 'unknown'} }`;
  }
  const lines = Object.entries(schema.properties).map(([key, value]) => {
    const optional = schema.required?.includes(key) ? '' : '?';
    return `${comment(value, inner)}${inner}readonly ${quoteKey(key)}${optional}: ${typeOf(value, inner)};\n`;
  });
  return `{\n${lines.join('')}${indent}}`;
}

/** Integers and paths have lower-case or plain types; everything else keeps its name. */
function namedType(name: string): string {
  const schema = definitions[name];
  if (schema === undefined) throw new Error(`no definition named ${name}`);
  return schema.properties || schema.additionalProperties || schema.enum ? name : typeOf(schema, '');
}

function typeOf(schema: Schema, indent: string): string {
  if (Array.isArray(schema.type)) {
    return schema.type.map((type) => typeOf({ ...schema, type }, indent)).join(' | ');
  }
  if (schema.$ref !== undefined) return namedType(refName(schema.$ref));
  if (schema.enum !== undefined) return schema.enum.map((value) => `'${value}'`).join(' | ');
  if (isInteger64(schema)) return 'Integer64';
  switch (schema.type) {
    case 'integer':
      return 'number';
    case 'array': {
      const item = typeOf(schema.items ?? {}, indent);
      return item.includes(' ') ? `readonly (${item})[]` : `readonly ${item}[]`;
    }
    case 'object':
      return objectType(schema, indent);
    default:
      return schema.type === undefined ? 'unknown' : String(schema.type);
  }
}

function declaration(name: string, schema: Schema): string {
  const body = typeOf(schema, '');
  const declared = schema.properties === undefined ? `type ${name} = ${body};` : `interface ${name} ${body}`;
  return `\n${comment(schema, '')}export ${declared}\n`;
}

export function generateConfigTypes(): GeneratedFile[] {
  const roots = (['config', 'state', 'features'] as const).map((name) => {
    const schema = readSchema(name);
    return declaration(schema.title ?? name, schema);
  });
  const named = Object.entries(definitions)
    .filter(([name]) => namedType(name) === name)
    .map(([name, schema]) => declaration(name, schema));
  const text = header('generate-config-types.ts', 'schemas/') + preamble + [...roots, ...named].join('');
  return [{ path: 'src/generated/config-types.ts', text }];
}
