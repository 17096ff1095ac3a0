/**
 * ajv's validators of config, process and resources as code, all errors gathered and no messages: explain.ts makes
 * those. Compiling a schema at run time would cost 30 ms at every start.
 */
import { Ajv } from 'ajv';
import standaloneModule from 'ajv/dist/standalone/index.js';
import { transformSync } from 'esbuild';
import { type GeneratedFile, header } from './generated-file.js';
import { readSchema } from './schema.js';

const standalone = standaloneModule as unknown as (ajv: Ajv, refs: Record<string, string>) => string;

/** Annotations are not needed to validate, and would be carried along as data. */
function withoutAnnotations(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutAnnotations);
  if (typeof node !== 'object' || node === null) return node;
  const kept = Object.entries(node).filter(([key, value]) => !(isAnnotation(key) && typeof value === 'string'));
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutAnnotations(value)]));
}

const isAnnotation = (key: string): boolean => ['$schema', 'title', 'description'].includes(key);

export function generateValidators(): GeneratedFile[] {
  const ajv = new Ajv({
    allErrors: true,
    messages: false,
    inlineRefs: false,
    code: { source: true, esm: true },
    schemas: [withoutAnnotations(readSchema('config')) as object],
  });
  const code = standalone(ajv, {
    validateSpec: 'config.schema.json',
    validateProcess: 'config.schema.json#/$defs/Process',
    validateResources: 'config.schema.json#/$defs/Resources',
  });
  // ajv joins lists of errors by copying them: with 100,000 errors that takes a minute.
  const joined = code.replaceAll(/vErrors\.concat\((validate\d+\.errors)\)/g, 'append(vErrors, $1)');
  if (joined.includes('.concat(')) throw new Error('ajv joins errors in a way that is not known here');
  const append = 'function append(all, more) { for (const error of more) all.push(error); return all; }';
  const { code: short } = transformSync(joined + append, {
    minify: true,
    lineLimit: 120,
    format: 'esm',
    target: 'es2020',
  });
  const text = `${header('generate-validators.ts', 'schemas/')}// @ts-nocheck\n${short}`;
  return [{ path: 'src/generated/validators.ts', text }];
}
