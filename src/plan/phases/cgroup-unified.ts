/** `unified`: files of cgroup v2 by name. */
import type { StringMap } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import type { SettingList } from './cgroup-settings.js';

/** Core files that move, stop or kill processes: no limits, and not the config's business. */
const forbidden: readonly string[] = ['cgroup.procs', 'cgroup.threads', 'cgroup.freeze', 'cgroup.kill'];

/** Every line of a value is one write, in order: files such as io.max take one device a write. */
export function compileUnified(list: SettingList, unified: StringMap, base: string): void {
  for (const key of Object.keys(unified)) {
    const pointer = `${base}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    checkKey(key, pointer);
    const controller = key.slice(0, key.indexOf('.'));
    const place = list.unified;
    if (place === -1) {
      fail('TSR_CGROUP_CONTROLLER', `unified resource '${key}' needs cgroup v2, and this host has cgroup v1 only`, {
        pointer,
      });
    }
    if (controller !== 'cgroup' && !list.places[place]!.controllers.includes(controller)) {
      fail(
        'TSR_CGROUP_CONTROLLER',
        `unified resource '${key}' can't be set: controller '${controller}' not available`,
        {
          pointer,
        },
      );
    }
    for (const line of unified[key]!.split('\n')) {
      // The first process is born there; the peers move it in, which a limit of 0 does not forbid. None can fork either way.
      const value = key === 'pids.max' && line.trim() === '0' && !list.update ? '1' : line;
      if (value !== '') list.set(place, key, value, pointer);
    }
  }
}

/** One component of the form CONTROLLER.PARAMETER (S31). */
function checkKey(key: string, pointer: string): void {
  if (key.includes('/') || key.includes('\0')) {
    fail('TSR_CGROUP_UNIFIED_KEY', `unified resource '${key}' must be a file name (no slashes)`, { pointer });
  }
  const dot = key.indexOf('.');
  if (dot <= 0 || dot === key.length - 1) {
    fail('TSR_CGROUP_UNIFIED_KEY', `unified resource '${key}' must be in the form CONTROLLER.PARAMETER`, { pointer });
  }
  if (forbidden.includes(key)) {
    fail('TSR_CGROUP_UNIFIED_KEY', `unified resource '${key}' controls processes and cannot be set by a config`, {
      pointer,
    });
  }
}
