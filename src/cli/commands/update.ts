import { readSome } from '../../host/files.js';
import {
  type AskedResources,
  resourcesFromFile,
  resourcesFromInput,
  updateContainer,
} from '../../operations/update.js';
import type { UpdateUnit } from '../../operations/update.js';
import { stringifyExact } from '../../tables/exact-json.js';
import { type Context, stateRoot } from '../context.js';
import { absolute } from '../inherited.js';
import { rdtOfFlags, resourcesOfFlags } from '../update-flags.js';

/** Far above any resources file. */
const longestInput = 16 << 20;

function readInput(): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const part = readSome(0, 64 << 10);
    if (part.length === 0 || length > longestInput) break;
    parts.push(part);
    length += part.length;
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** From --resources, which makes the others be ignored, or from the others; checked alike. */
function asked({ options }: Context): AskedResources {
  const file = options.text('resources');
  if (file === '-') return resourcesFromInput(readInput());
  if (file !== undefined) return resourcesFromFile(absolute(file) ?? file);
  return resourcesFromInput(new TextEncoder().encode(stringifyExact(resourcesOfFlags(options))));
}

/** The systemd driver is loaded for containers made with it only. */
const updateUnit: UpdateUnit = async ({ cgroup }, resources) => {
  const systemd = await import('../../operations/systemd.js');
  systemd.updateUnit(cgroup, resources, cgroup.places[0]?.version === 2);
};

export async function run(context: Context): Promise<number> {
  const { resources, warnings } = asked(context);
  const more = await updateContainer(
    stateRoot(context).path,
    context.operands[0] ?? '',
    { resources, rdt: rdtOfFlags(context.options) },
    updateUnit,
  );
  for (const warning of [...warnings, ...more]) context.log.warn(warning);
  return 0;
}
