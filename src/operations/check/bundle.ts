import { readTextFile } from '../../bundle/read.js';
import { specKind } from '../../bundle/spec-document.js';
import { checkSource } from '../../bundle/validate.js';
import { type Failure, TsrunError } from '../../errors/error.js';
import { gatherLsmFacts } from '../../linux/facts.js';
import { encodePlan } from '../../plan/encode.js';
import { compileRead, type CreateRequest, readRequest, requireUserNamespace } from '../create.js';
import { lackingIn } from './lacking.js';
import type { BundleFinding, BundleReport, FindingKind } from './report.js';
import { risksOf } from './risks.js';

/** A state root that is not: nothing is kept there, not even the cache of filters. */
const nowhere = { path: '/proc/tsrun-check', explicit: true, sticky: false };

const findingOf = (
  kind: FindingKind,
  { code, pointer = '', message, hint, detail, errno }: Failure,
): BundleFinding => ({
  kind,
  pointer,
  message: errno ? `${message}: ${errno}` : message,
  why: hint ?? detail ?? (kind === 'error' ? 'create refuses it' : 'it has no effect, or not the usual one'),
  code,
});

/** Every fault that the config itself has, not only the first. */
function faultsOf(request: CreateRequest): BundleFinding[] {
  const path = request.config ?? `${request.bundle}/config.json`;
  const { errors } = checkSource(readTextFile(path, { stream: false }), specKind);
  return errors.map((error) => findingOf('error', error));
}

function errorsOf(error: unknown, request: CreateRequest): BundleFinding[] {
  if (!(error instanceof TsrunError)) throw error;
  const { failure } = error;
  // A pipe cannot be read twice; the first fault names the others.
  if (failure.hint?.includes('also wrong: ') && request.config === undefined) {
    const all = faultsOf(request);
    if (all.length > 0) return all;
  }
  return [findingOf('error', failure)];
}

function inspect(request: CreateRequest): BundleFinding[] {
  const read = readRequest(request);
  const lsm = gatherLsmFacts();
  const { plan, spec, warnings } = compileRead({ ...read, facts: { ...read.facts, lsm } });
  requireUserNamespace(spec);
  encodePlan(plan);
  const { facts, draft } = read;
  const asRoot = facts.uid === 0 && !facts.inUserNamespace;
  return [
    ...lackingIn({ spec, plan, facts, cgroup: draft.cgroup, rootfs: draft.rootfs }),
    ...warnings.map((warning) => findingOf('warning', warning)),
    ...risksOf(spec, asRoot),
  ];
}

const order: readonly FindingKind[] = ['error', 'missing', 'warning', 'risk'];

function verdictOf(findings: readonly BundleFinding[]): BundleReport['verdict'] {
  if (findings.some(({ kind }) => kind === 'error' || kind === 'missing')) return 'fails';
  return findings.length > 0 ? 'findings' : 'starts';
}

/**
 * Whether `run` would start this bundle on this host, as this user; and what is odd about it. Makes nothing.
 * @param explain loads what puts a fault of the config's shape into words.
 */
export async function checkBundle(
  given: CreateRequest,
  explain: (error: unknown) => Promise<unknown>,
): Promise<BundleReport> {
  const request: CreateRequest = { ...given, root: { ...given.root, ...nowhere } };
  let findings: BundleFinding[];
  try {
    findings = inspect(request);
  } catch (error) {
    findings = errorsOf(await explain(error), request);
  }
  const sorted = order.flatMap((kind) => findings.filter((finding) => finding.kind === kind));
  return { bundle: request.bundle, verdict: verdictOf(sorted), findings: sorted };
}
