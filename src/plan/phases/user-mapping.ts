import type { IdMapping } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import { rlimitNumber } from '../../tables/rlimits.js';
import type { Context, ProcessContext } from '../options.js';
import { type Step, step } from '../step.js';
import { isApart } from './namespaces.js';

export function mapText(mappings: readonly IdMapping[]): string {
  let text = '';
  for (const { containerID, hostID, size } of mappings) text += `${containerID} ${hostID} ${size}\n`;
  return text;
}

function helperArgs(name: string, mappings: readonly IdMapping[]): string[] {
  const args = [name, '{pid}'];
  for (const { containerID, hostID, size } of mappings) args.push(`${containerID}`, `${hostID}`, `${size}`);
  return args;
}

/** What the kernel lets an unprivileged process map by itself: its own id, once. */
export const isOwnId = (mappings: readonly IdMapping[], own: number): boolean =>
  mappings.length === 1 && mappings[0]?.hostID === own && mappings[0].size === 1;

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

/** Written from outside: inside a user namespace the value could only be raised. Absent means untouched (spec). */
export function oomSteps({ process }: ProcessContext): Step[] {
  if (process.oomScoreAdj === undefined) return [];
  const value = `${process.oomScoreAdj}`;
  const args = { file: 'oom_score_adj', value };
  return [step('host', 'child.write-proc', args, '/process/oomScoreAdj', `set OOM score adjustment ${value}`)];
}

/**
 * Set by the host, which may raise them, and when everything else is done: a limit of the payload must not stop
 * its own setup.
 */
export function rlimitSteps({ process }: ProcessContext): Step[] {
  const list = process.rlimits ?? [];
  const steps: Step[] = [];
  for (let i = 0; i < list.length; i++) {
    const { type, soft, hard } = list[i]!;
    const pointer = `/process/rlimits/${i}`;
    const resource = rlimitNumber(type) ?? fail('TSR_PLAN_NAME', `unknown rlimit '${type}'`, { pointer });
    const args = { resource, soft: BigInt(soft), hard: BigInt(hard) };
    steps.push(step('host', 'child.rlimit', args, pointer, `limit ${type} ${soft}:${hard}`));
  }
  return steps;
}
