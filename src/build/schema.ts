/** The JSON Schemas under schemas/, as the generators read them. */
import { readJsonSync } from 'fs-extra/esm';

/** The keywords our schemas use, no more. */
export interface Schema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

export type SchemaName = 'config' | 'process' | 'resources' | 'state' | 'features';

export function readSchema(name: SchemaName): Schema {
  return readJsonSync(`schemas/${name}.schema.json`) as Schema;
}

/** The name a `$ref` points to: `#/$defs/Mount` is `Mount`. */
export const refName = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);

/** Whether a schema's integers may need more than a double: then its type is Integer64. */
export const isInteger64 = (schema: Schema): boolean =>
  schema.type === 'integer' && (schema.maximum ?? Number.POSITIVE_INFINITY) > Number.MAX_SAFE_INTEGER;
