import { currentDirectory, effectiveGid, effectiveUid } from '../../host/process.js';
import { gatherFacts } from '../../linux/facts.js';
import { makeRootlessSpec, makeSpec, writeSpec } from '../../operations/spec.js';
import { absolutePath } from '../../state/layout.js';
import type { Context } from '../context.js';

export function run({ options }: Context): number {
  const bundle = absolutePath(options.text('bundle') ?? '.', currentDirectory());
  const path = absolutePath(options.text('file') ?? 'config.json', bundle);
  const unified = gatherFacts().cgroupMode === 'v2';
  writeSpec(
    path,
    options.is('rootless') ? makeRootlessSpec(effectiveUid(), effectiveGid(), unified) : makeSpec(unified),
  );
  return 0;
}
