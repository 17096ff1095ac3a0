import { planContainer } from '../../operations/plan.js';
import { printPlan, printPlanJson } from '../../plan/print.js';
import { type Context, print } from '../context.js';
import { createRequest } from './create.js';

/** Loaded for who asks for it. */
const planInSystemd = async () => (await import('../../operations/systemd.js')).planInSystemd;

/** The id in the plan when the caller has none in mind. */
const exampleId = 'example';

export async function run(context: Context): Promise<number> {
  const operands = context.operands.length > 0 ? context.operands : [exampleId];
  const request = await createRequest({ ...context, operands }, 'create');
  const { plan, warnings } = planContainer(
    request.driver === 'systemd' ? { ...request, compileCgroup: await planInSystemd() } : request,
  );
  for (const warning of warnings) context.log.warn(warning);
  print(context.options.is('json') ? printPlanJson(plan) : printPlan(plan));
  return 0;
}
