import { fail } from '../../errors/error.js';
import { lstatIfExists, statIfExists } from '../../host/files.js';
import { currentDirectory } from '../../host/process.js';
import type { CreateRequest } from '../../operations/create.js';
import { planContainer } from '../../operations/plan.js';
import { printPlanJson } from '../../plan/print.js';
import type { Plan } from '../../plan/step.js';
import { absolutePath } from '../../state/layout.js';
import { isContainerId } from '../../state/ids.js';
import { findDirectory, openContainer } from '../../state/store.js';
import { type Context, print, stateRoot } from '../context.js';
import { writePage } from '../page-file.js';
import { terminalFor } from '../terminal.js';
import { createRequest } from './create.js';

/** Loaded for who asks for it. */
const planInSystemd = async () => (await import('../../operations/systemd.js')).planInSystemd;

/** The id in the plan when the caller has none in mind. */
const exampleId = 'example';

type PlannedContainer = ReturnType<typeof planContainer>;

/** The one line of a page or a text that says whose plan it is. */
const titleOf = ({ id, bundle, config }: CreateRequest, plan: Plan): string =>
  `plan of ${id} from ${config ?? bundle}: ${plan.steps.length} steps`;

async function plannedOf(request: CreateRequest, container: PlannedContainer) {
  const { summarise } = await import('../../plan/summary.js');
  const { singly } = await import('../../plan/step-items.js');
  const { spec, draft } = container;
  // For people each thing that is done has a line of its own.
  const plan = { ...container.plan, steps: container.plan.steps.flatMap(singly) };
  return { title: titleOf(request, plan), summary: summarise(spec, plan, draft.rootfs), plan };
}

/** A bundle, a config.json, or the container of that name. */
function otherRequest(request: CreateRequest, context: Context, other: string): CreateRequest {
  const path = absolutePath(other, currentDirectory());
  const kind = statIfExists(path)?.kind;
  if (kind === 'directory' && lstatIfExists(`${path}/config.json`))
    return { ...request, bundle: path, config: undefined };
  if (kind === 'file' || kind === 'fifo') return { ...request, config: path };
  const root = stateRoot(context).path;
  if (!isContainerId(other) || findDirectory(root, other) === undefined)
    fail('TSR_CLI_VALUE', `'${other}' is no bundle, no config.json and no container`, {
      hint: '--against takes one of them',
    });
  const { directory, record } = openContainer(root, other);
  return { ...request, bundle: record.bundle, config: `${directory}/config.json` };
}

async function printDifference(
  context: Context,
  request: CreateRequest,
  here: PlannedContainer,
  other: string,
): Promise<void> {
  const there = otherRequest(request, context, other);
  const base = planContainer(there);
  const { differenceOf } = await import('../../plan/difference.js');
  const { renderDifference } = await import('../plan-view.js');
  const neutral = (bundle: string) => (text: string) => text.replaceAll(bundle, 'BUNDLE');
  const changes = differenceOf(base.plan, here.plan, [neutral(there.bundle), neutral(request.bundle)]);
  const title = `from ${other} (-) to ${request.config ?? request.bundle} (+)`;
  print(renderDifference(title, changes, terminalFor(context.options.text('color'))));
}

export async function run(context: Context): Promise<number> {
  const { options } = context;
  const operands = context.operands.length > 0 ? context.operands : [exampleId];
  const given = await createRequest({ ...context, operands }, 'create');
  const request = given.driver === 'systemd' ? { ...given, compileCgroup: await planInSystemd() } : given;
  const container = planContainer(request);
  for (const warning of container.warnings) context.log.warn(warning);
  const [html, against] = [options.text('html'), options.text('against')];
  if (against !== undefined) await printDifference(context, request, container, against);
  else if (options.is('json')) print(printPlanJson(container.plan));
  else if (html !== undefined) {
    const { renderPlanPage } = await import('../plan-page.js');
    writePage(html, renderPlanPage(await plannedOf(request, container), container.spec));
  } else {
    const { renderPlan } = await import('../plan-view.js');
    print(renderPlan(await plannedOf(request, container), terminalFor(options.text('color'))));
  }
  return 0;
}
