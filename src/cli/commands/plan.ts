import { planContainer } from '../../operations/plan.js';
import { printPlan, printPlanJson } from '../../plan/print.js';
import { type Context, print } from '../context.js';
import { createRequest } from './create.js';

/** The id in the plan when the caller has none in mind. */
const exampleId = 'example';

export async function run(context: Context): Promise<number> {
  const operands = context.operands.length > 0 ? context.operands : [exampleId];
  const { plan, warnings } = planContainer(await createRequest({ ...context, operands }, 'create'));
  for (const warning of warnings) context.log.warn(warning);
  print(context.options.is('json') ? printPlanJson(plan) : printPlan(plan));
  return 0;
}
