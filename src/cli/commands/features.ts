import { describeFeatures, flagsOfKernel } from '../../operations/features.js';
import { print } from '../context.js';

export function run(): number {
  print(`${JSON.stringify(describeFeatures(flagsOfKernel()), null, 4)}\n`);
  return 0;
}
