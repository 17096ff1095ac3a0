import type { IdMapping } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import type { Context, ProcessContext } from '../options.js';
import { isOwnId, mapText } from '../id-map.js';
import { type Step, step } from '../step.js';
import { isApart } from './namespaces.js';

function helperArgs(name: string, mappings: readonly IdMapping[]): string[] {
  const args = [name, '{pid}'];
  for (const { containerID, hostID, size } of mappings) args.push(`${containerID}`, `${hostID}`, `${size}`);
  return args;
}

function mapSteps(context: Context, kind: 'uid' | 'gid', mappings: readonly IdMapping[]): Step[] {
  const { facts, options } = context;
  const pointer = `/linux/${kind}Mappings`;
  const summary = `map ${kind}s ${mapText(mappings).trim().replaceAll('\n', ', ')}`;
  if (facts.uid === 0 || isOwnId(mappings, facts[kind])) {
    const args = { file: `${kind}_map`, value: mapText(mappings) };
    return [step('host', 'child.write-proc', args, pointer, summary)];
  }
  const path = options.idMappers?.[kind];
  if (path === undefined) {
    fail('TSR_USERNS_NO_MAPPER', `mapping other ${kind}s than one's own takes new${kind}map, which was not found`, {
      pointer,
      hint: `install new${kind}map (package uidmap or shadow-utils) and give the user ranges in /etc/sub${kind}`,
    });
  }
  const args = { path, args: helperArgs(`new${kind}map`, mappings) };
  return [step('host', 'child.run-helper', args, pointer, `${summary} through new${kind}map`)];
}

/** Ids of a new user namespace. An existing one has its maps already. */
export function mappingSteps(context: Context): Step[] {
  const { spec, facts, namespaces } = context;
  if (!namespaces.created.has('user')) return [];
  const uids = spec.linux?.uidMappings ?? [];
  const gids = spec.linux?.gidMappings ?? [];
  const steps = mapSteps(context, 'uid', uids);
  // Without privileges the kernel takes a gid map only after setgroups is off for good (CVE-2014-8989).
  if (facts.uid !== 0 && isOwnId(gids, facts.gid)) {
    const args = { file: 'setgroups', value: 'deny' };
    steps.push(step('host', 'child.write-proc', args, '/linux/gidMappings', 'turn setgroups off'));
  }
  steps.push(...mapSteps(context, 'gid', gids));
  return steps;
}

/** In init: it has no id in the user namespace until it takes one. */
export function becomeRootSteps({ namespaces }: ProcessContext): Step[] {
  if (!isApart(namespaces, 'user')) return [];
  return [step('init', 'ns.become-root', {}, '/linux/namespaces', 'become root of the user namespace')];
}
