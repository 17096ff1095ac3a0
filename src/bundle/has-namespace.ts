import type { NamespaceType, Spec } from './types.js';

/** Whether the container gets a namespace of this type, new or joined, instead of the runtime's own. */
export function hasNamespace(spec: Spec, type: NamespaceType): boolean {
  const namespaces = spec.linux?.namespaces ?? [];
  for (let index = 0; index < namespaces.length; index++) {
    if (namespaces[index]!.type === type) return true;
  }
  return false;
}
