/** Interfaces of the host that the container gets for itself. */
import { fail } from '../../errors/error.js';
import type { Context } from '../options.js';
import { type Step, step } from '../step.js';
import { isApart } from './namespaces.js';

/** Host, as soon as the container's network namespace is there: the network hooks find the interfaces in it. */
export function netDeviceSteps({ spec, facts, namespaces }: Context): Step[] {
  const devices = spec.linux?.netDevices;
  if (devices === undefined) return [];
  const steps: Step[] = [];
  // The kernel counts for templates when the other names are taken.
  const templates: Step[] = [];
  for (const name in devices) {
    const pointer = `/linux/netDevices/${name.replaceAll('~', '~0')}`;
    if (facts.uid !== 0) fail('TSR_NET_DEVICE_ROOTLESS', "only root can take the host's network devices", { pointer });
    if (!isApart(namespaces, 'network')) {
      const message = "the network namespace is the host's, so there is nowhere to move the device";
      fail('TSR_NET_DEVICE_SHARED', message, { pointer });
    }
    const newName = devices[name]?.name || name;
    const summary = `move network device ${name} into the container${newName === name ? '' : ` as ${newName}`}`;
    const list = newName.endsWith('%d') ? templates : steps;
    list.push(step('host', 'net.device', { name, newName }, pointer, summary));
  }
  return [...steps, ...templates];
}
