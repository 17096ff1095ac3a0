import { checkBundle } from '../../operations/check/bundle.js';
import { checkHost } from '../../operations/check/host.js';
import { type Context, print } from '../context.js';
import { renderBundleReport, renderHostReport } from '../check-view.js';
import { settle } from '../settle.js';
import { terminalFor } from '../terminal.js';
import { createRequest } from './create.js';

/** Loaded for who asks for it. */
const planInSystemd = async () => (await import('../../operations/systemd.js')).planInSystemd;

/** Without a bundle what the host offers; with one, whether it starts here, and what would be odd about it. */
export async function run(context: Context): Promise<number> {
  const { options } = context;
  const asked = options.text('bundle') !== undefined || options.text('config') !== undefined;
  const look = terminalFor(options.text('color'));
  if (!asked) {
    const report = checkHost();
    print(options.is('json') ? `${JSON.stringify(report, null, 2)}\n` : renderHostReport(report, look));
    return 0;
  }
  const request = await createRequest({ ...context, operands: ['check'] }, 'run');
  const withDriver = request.driver === 'systemd' ? { ...request, compileCgroup: await planInSystemd() } : request;
  const report = await checkBundle(withDriver, settle);
  print(options.is('json') ? `${JSON.stringify(report, null, 2)}\n` : renderBundleReport(report, look));
  return { starts: 0, fails: 1, findings: 2 }[report.verdict];
}
