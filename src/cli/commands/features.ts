import { describeFeatures } from '../../operations/features.js';
import { print } from '../context.js';

export function run(): number {
  print(`${JSON.stringify(describeFeatures(), null, 4)}\n`);
  return 0;
}
