import { readIdMapOption, toMappings } from '../../tables/idmap-option.js';
import { mountOptions } from '../../tables/mount-options.js';
import { proxiedProcFiles } from '../../tables/proc-files.js';
import { quote } from '../describe.js';
import { hasNamespace } from '../has-namespace.js';
import { suggestion } from '../nearest.js';
import { normalisePath } from '../paths.js';
import { type Findings, Reporter, type Rule } from '../rule.js';
import type { Mount, Spec } from '../types.js';
import { checkMappings } from './id-mappings.js';

export const mountsRule: Rule<Spec> = {
  reads: ['/mounts', '/linux/namespaces'],
  check(spec, report) {
    const mounts = spec.mounts ?? [];
    for (let index = 0; index < mounts.length; index++) {
      const mount = mounts[index]!;
      const at = `/mounts/${index}`;
      const isBind = hasOption(mount, 'bind', 'rbind');
      checkDestination(mount, isBind, at, report);
      checkKind(mount, isBind, at, report);
      checkOptions(mount, isBind, at, report);
      checkIdMapping(mount, spec, at, report);
    }
  },
};

const hasOption = ({ options }: Mount, one: string, other: string): boolean =>
  options !== undefined && (options.includes(one) || options.includes(other));

function checkDestination({ destination, type }: Mount, isBind: boolean, at: string, report: Reporter): void {
  const pointer = `${at}/destination`;
  const path = normalisePath(destination);
  if (!destination.startsWith('/') && destination !== '') {
    // config.md: deprecated, and MUST be read as relative to '/'.
    report.warn(
      'TSR_MOUNT_RELATIVE',
      pointer,
      `relative destination ${quote(destination)} is read as '${path}'`,
      `write '${path}'`,
    );
  }
  if (path === '/') {
    const message = destination === '' ? 'must not be empty' : `${quote(destination)} is the root itself`;
    report.error('TSR_MOUNT_ON_ROOT', pointer, message, "the root is 'root.path'; mount below it");
  }
  if (path === '/proc' && !isBind && type !== 'proc') {
    const message = `a mount of type ${quote(type ?? '')} cannot stand in for procfs`;
    report.error('TSR_MOUNT_ON_PROC', pointer, message, "use type 'proc', or bind a procfs");
  }
  if (path.startsWith('/proc/') && !proxiedProcFiles.includes(path)) {
    report.error('TSR_MOUNT_ON_PROC', pointer, `'${path}' is inside procfs and cannot be covered by a mount`, procHint);
  }
}

const procHint = 'only the files that lxcfs provides can; to hide others use linux.maskedPaths';

/** Type and source must fit together; a mount is a bind by its option, never by its type. */
function checkKind(
  { type, source, destination, options = [] }: Mount,
  isBind: boolean,
  at: string,
  report: Reporter,
): void {
  if (isBind) {
    if (!source)
      report.error(
        'TSR_MOUNT_SOURCE',
        `${at}/source`,
        `the bind mount on ${quote(destination)} has no source`,
        "add 'source'",
      );
    return;
  }
  if (options.includes('remount')) return;
  if (type === 'bind' || type === 'none') {
    const message = `the mount on ${quote(destination)} has type '${type}' but neither option 'bind' nor 'rbind'`;
    report.error('TSR_MOUNT_BIND_OPTION', `${at}/options`, message, "add 'rbind'");
  } else if (!type) {
    const message = `the mount on ${quote(destination)} has no type`;
    report.error('TSR_MOUNT_TYPE', `${at}/type`, message, "add 'type', or the option 'rbind' for a bind mount");
  }
  if ((type === 'nfs' || type === 'nfs4') && !options.some((option) => /(?:^|,)addr=/.test(option))) {
    const message = `a mount of type '${type}' needs the server's address`;
    report.error(
      'TSR_MOUNT_NFS',
      `${at}/options`,
      message,
      "add 'addr=…'; mount.nfs, which finds it, does not run here",
    );
  }
}

function checkOptions({ type, options = [] }: Mount, isBind: boolean, at: string, report: Reporter): void {
  for (let index = 0; index < options.length; index++) {
    const option = options[index]!;
    if (option === 'tmpcopyup' && type !== 'tmpfs') {
      const message = "'tmpcopyup' is only for mounts of type 'tmpfs'";
      report.error('TSR_MOUNT_TMPCOPYUP', `${at}/options/${index}`, message, 'remove it');
    }
    // podman writes empty ones; they say nothing.
    if (isBind && option !== '' && !mountOptions.has(option)) checkBindData(option, `${at}/options/${index}`, report);
  }
}

/**
 * Data for the filesystem, of which a bind has none. What looks like a misspelt option is an error (S15); runc 1.1 and
 * crun take the rest without a word, and runtime-tools' mounts program wants them taken.
 */
function checkBindData(option: string, at: string, report: Reporter): void {
  if (readIdMapOption(option) !== undefined) return;
  const message = `${quote(option)} is no option of a bind mount`;
  if (aboutAccess.test(option)) {
    report.error('TSR_MOUNT_BIND_DATA', at, `${message}, and who may do what depends on it`, accessHint);
    return;
  }
  const meant = option.includes('=') ? undefined : suggestion(option, mountOptions.keys());
  if (meant !== undefined) report.error('TSR_MOUNT_BIND_DATA', at, message, meant);
  else report.warn('TSR_MOUNT_BIND_DATA', at, message, 'it has no effect; remove it');
}

/**
 * Owners, masks and labels: left out, the container would see other rights than were asked for. `mode=` of a bind does nothing anywhere,
 * and the mounts program of runtime-tools wants it taken.
 */
const aboutAccess = /^(?:r?idmap|[ug]id=|[ufd]?mask=|(?:fs|def|root)?context=|X-mount\.)/;
const accessHint = "for other owners use 'uidMappings' and 'gidMappings' of the mount";

/** `idmap=uids=…;gids=…`, of crun and podman. */
function checkIdMapOptions(mount: Mount, { linux = {} }: Spec, at: string, report: Reporter): void {
  const { options = [] } = mount;
  for (let index = 0; index < options.length; index++) {
    const pointer = `${at}/options/${index}`;
    const map = options[index]!.includes('idmap=') ? readIdMapOption(options[index]!) : undefined;
    if (map === undefined) continue;
    const fault = (message: string, hint: string): void => report.error('TSR_MOUNT_IDMAP', pointer, message, hint);
    if (map.wrong !== undefined) fault(`${quote(options[index]!)}: ${map.wrong}`, idMapHint);
    if (mount.uidMappings || mount.gidMappings) fault('the mount has mappings and an option with others', 'keep one');
    const joined = linux.namespaces?.some(({ type, path }) => type === 'user' && path !== undefined);
    const relative = [...map.uids, ...map.gids].some((range) => range.relative);
    const uids = toMappings(map.uids, linux.uidMappings ?? []);
    const gids = toMappings(map.gids, linux.gidMappings ?? []);
    if (relative && joined)
      fault("'@' means the mappings of a user namespace that is not made here", 'write ids of the host');
    else if (!uids || !gids)
      fault("a range with '@' is not within one mapping of the container", 'split or correct it');
    else {
      const findings: Findings = { errors: [], warnings: [] };
      for (const list of [uids, gids]) checkMappings(list, '', new Reporter('', findings));
      for (const { message, hint } of findings.errors) fault(message, hint ?? idMapHint);
    }
  }
}

const idMapHint = "write it as 'idmap=uids=0-1000-10#20-3000-1;gids=0-1000-10'";

function checkIdMapping(mount: Mount, spec: Spec, at: string, report: Reporter): void {
  const { uidMappings, gidMappings } = mount;
  if ((uidMappings === undefined) !== (gidMappings === undefined)) {
    const [there, missing] = uidMappings ? ['uidMappings', 'gidMappings'] : ['gidMappings', 'uidMappings'];
    report.error(
      'TSR_MOUNT_IDMAP',
      `${at}/${missing}`,
      `'${there}' is set without '${missing}'`,
      'set both or neither',
    );
  }
  checkMappings(uidMappings, `${at}/uidMappings`, report);
  checkMappings(gidMappings, `${at}/gidMappings`, report);
  checkIdMapOptions(mount, spec, at, report);
  if (uidMappings || gidMappings || !hasOption(mount, 'idmap', 'ridmap')) return;
  if (!hasNamespace(spec, 'user')) {
    const message = "'idmap' needs mappings: of the mount, or of the container's user namespace";
    report.error('TSR_MOUNT_IDMAP', `${at}/options`, message, "add 'uidMappings' and 'gidMappings'");
  }
}
