/**
 * The device cgroup's rules: deny all, then the config's rules in their order, then the defaults (S34), as crun has
 * them and runtime-tools reads them back. A rule that denies everything starts over, defaults included, as engines
 * expect that send nothing but `deny all`. A default that a rule of the config denies goes in front of it, so that
 * it can be taken away (runc and crun append all of them last, so nothing can: runc issue 1618). That any node may be
 * made is taken away only whole: v1 can express no exception from it, it opens nothing, and Docker, which denies
 * /dev/fuse by name in every config, means its use.
 */
import type { DeviceCgroup } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import { type DeviceRule, defaultDeviceRules, deviceAccess } from '../../tables/cgroup-devices.js';

/** Rules in order, the last that matches wins for each access bit; `allowByDefault` for what none matches. */
export interface DevicePolicy {
  readonly allowByDefault: boolean;
  readonly rules: readonly DeviceRule[];
  /** Of the list in the config. */
  readonly pointer: string;
}

const codeOfRule = 'TSR_CGROUP_DEVICE_RULE';

/** What is written nearly always, found without a look at each letter. */
const knownAccess = new Map([
  ['rwm', deviceAccess.all],
  ['rw', deviceAccess.read | deviceAccess.write],
  ['r', deviceAccess.read],
  ['w', deviceAccess.write],
  ['m', deviceAccess.mknod],
]);

function readAccess(access: string | undefined, allow: boolean, pointer: string): number {
  if (access === undefined || access === '') {
    // Denying without saying what denies all; allowing without saying what is a mistake.
    if (!allow) return deviceAccess.all;
    return fail(codeOfRule, 'device rule allows nothing', {
      pointer,
      hint: "add access, a composition of 'r', 'w', 'm'",
    });
  }
  const known = knownAccess.get(access);
  if (known !== undefined) return known;
  let bits = 0;
  for (const letter of access) {
    if (letter === 'r') bits |= deviceAccess.read;
    else if (letter === 'w') bits |= deviceAccess.write;
    else if (letter === 'm') bits |= deviceAccess.mknod;
    else
      fail(codeOfRule, `device access '${access}' is not a composition of 'r', 'w', 'm'`, {
        pointer: `${pointer}/access`,
      });
  }
  return bits;
}

function readNumber(value: number | bigint | null | undefined, pointer: string, key: string): number {
  if (value == null) return -1;
  const number = Number(value);
  if (number < -1 || number > 0xffffffff)
    fail(codeOfRule, `device number ${value} is out of range`, { pointer: `${pointer}/${key}` });
  return number;
}

const within = (number: number, wanted: number): boolean => wanted === -1 || number === wanted;
const meets = (a: number, b: number): boolean => a === -1 || b === -1 || a === b;

function addDefaults(rules: readonly DeviceRule[]): DeviceRule[] {
  // Nearly all rules allow.
  const denied = rules.filter(({ allow }) => !allow);
  const isDenied = (device: DeviceRule): boolean => {
    const matches = device.access === deviceAccess.mknod ? within : meets;
    return denied.some(
      ({ type, major, minor }) => type === device.type && matches(device.major, major) && matches(device.minor, minor),
    );
  };
  const first = defaultDeviceRules.filter(isDenied);
  return [...first, ...rules, ...defaultDeviceRules.filter((device) => !first.includes(device))];
}

/** Puts defaults and the config's rules into one list. @throws TsrunError with the pointer of a bad rule. */
export function orderDeviceRules(devices: readonly DeviceCgroup[], pointer: string): DevicePolicy {
  let allowByDefault = false;
  let rules: DeviceRule[] = [];
  let withDefaults = true;
  for (let i = 0; i < devices.length; i++) {
    const { allow, type, major, minor, access } = devices[i]!;
    const at = `${pointer}/${i}`;
    const bits = readAccess(access, allow, at);
    const majorNumber = readNumber(major, at, 'major');
    const minorNumber = readNumber(minor, at, 'minor');
    if (type === 'c' || type === 'b') {
      rules.push({ allow, type, major: majorNumber, minor: minorNumber, access: bits, index: i });
    } else if (type != null && type !== 'a') {
      fail(codeOfRule, `device type '${type}' is not one of 'a', 'b', 'c'`, { pointer: `${at}/type` });
    } else if (majorNumber === -1 && minorNumber === -1 && bits === deviceAccess.all) {
      allowByDefault = allow;
      withDefaults = !allow;
      rules = [];
    } else {
      // The kernel's v1 file reads every rule of type 'a' as "everything"; say what was meant with two rules.
      rules.push({ allow, type: 'c', major: majorNumber, minor: minorNumber, access: bits, index: i });
      rules.push({ allow, type: 'b', major: majorNumber, minor: minorNumber, access: bits, index: i });
    }
  }
  return { allowByDefault, rules: withDefaults ? addDefaults(rules) : rules, pointer };
}

/** Exceptions in the order they were made, found by what they name: a config may have thousands. */
class Exceptions {
  readonly #rules = new Map<string, DeviceRule>();
  /** The keys of the rules for one type and major number. */
  readonly #groups = new Map<string, Set<string>>();
  readonly #pointer: string;

  /** @param pointer of the config's list */
  constructor(pointer: string) {
    this.#pointer = pointer;
  }

  get list(): DeviceRule[] {
    return [...this.#rules.values()];
  }

  static #key(type: string, major: number, minor: number): string {
    return `${type}${major}:${minor}`;
  }

  /** Two rules for one device become one, because the kernel wants a single exception to cover all bits of a request. */
  add(rule: DeviceRule): void {
    const { type, major, minor } = rule;
    const key = Exceptions.#key(type, major, minor);
    const same = this.#rules.get(key);
    this.#rules.set(key, same === undefined ? rule : { ...rule, access: rule.access | same.access });
    if (same !== undefined) return;
    const group = this.#groups.get(`${type}${major}`);
    if (group === undefined) this.#groups.set(`${type}${major}`, new Set([key]));
    else group.add(key);
  }

  /** Keys of the exceptions that a request may meet which meets the rule, too. */
  #meeting({ type, major, minor }: DeviceRule): readonly string[] {
    if (major === -1) return [...this.#rules.keys()];
    if (minor === -1) return [major, -1].flatMap((number) => [...(this.#groups.get(`${type}${number}`) ?? [])]);
    return [major, -1].flatMap((number) => [minor, -1].map((other) => Exceptions.#key(type, number, other)));
  }

  /** Takes `rule` away from the exceptions made so far. @throws TsrunError where v1 cannot express that. */
  subtract(rule: DeviceRule): void {
    for (const key of this.#meeting(rule)) {
      const exception = this.#rules.get(key);
      const common = exception === undefined ? 0 : exception.access & rule.access;
      if (exception === undefined || common === 0 || exception.type !== rule.type) continue;
      if (!meets(exception.minor, rule.minor)) continue;
      if (within(exception.major, rule.major) && within(exception.minor, rule.minor)) {
        const left = exception.access & ~rule.access;
        if (left !== 0) this.#rules.set(key, { ...exception, access: left });
        else {
          this.#rules.delete(key);
          this.#groups.get(`${exception.type}${exception.major}`)?.delete(key);
        }
      } else if (!(exception.index < 0 && common === deviceAccess.mknod)) refuse(rule, exception, this.#pointer);
    }
  }
}

/** The kernel would ignore this without a word. Only the default "make any node" may stay: it opens nothing. */
function refuse(rule: DeviceRule, exception: DeviceRule, pointer: string): never {
  fail(
    codeOfRule,
    `cgroup v1 cannot take '${renderDeviceRule(rule)}' out of the earlier rule '${renderDeviceRule(exception)}'`,
    {
      pointer: rule.index < 0 ? '' : `${pointer}/${rule.index}`,
      hint: 'name the devices one by one instead of using a wildcard and an exception from it',
    },
  );
}

/** Rules that take nothing away from each other, as in most configs: those for one device become one. */
function mergeRules(rules: readonly DeviceRule[]): readonly DeviceRule[] {
  const places = new Map<string, number>();
  const merged: DeviceRule[] = [];
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]!;
    const key = `${rule.type}${rule.major}:${rule.minor}`;
    const place = places.get(key);
    if (place === undefined) places.set(key, merged.push(rule) - 1);
    else merged[place] = { ...rule, access: rule.access | merged[place]!.access };
  }
  return merged;
}

/** The v1 form: a mode and the exceptions from it, without order. */
export function deviceExceptions({ allowByDefault, rules, pointer }: DevicePolicy): readonly DeviceRule[] {
  let addOnly = true;
  for (let i = 0; i < rules.length && addOnly; i++) addOnly = rules[i]!.allow !== allowByDefault;
  if (addOnly) return mergeRules(rules);
  const exceptions = new Exceptions(pointer);
  for (const rule of rules) {
    if (rule.allow === allowByDefault) exceptions.subtract(rule);
    else exceptions.add(rule);
  }
  return exceptions.list;
}

/** As devices.allow and devices.deny take it: `c 136:* rwm`. */
export const renderDeviceRule = ({ type, major, minor, access }: DeviceRule): string =>
  `${type} ${major === -1 ? '*' : major}:${minor === -1 ? '*' : minor} ${accessLetters[access]}`;

/** By the bits: '', 'm', 'r', 'rm', 'w', 'wm', 'rw', 'rwm'. */
const accessLetters = Array.from(
  { length: deviceAccess.all + 1 },
  (_, access) =>
    (access & deviceAccess.read ? 'r' : '') +
    (access & deviceAccess.write ? 'w' : '') +
    (access & deviceAccess.mknod ? 'm' : ''),
);
