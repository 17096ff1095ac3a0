// The options of both parts of the bench (bench.ts, growth.ts).
import { option } from '../../src/build/command-line.mjs';

export const call = 'npm run bench --';
export const options = {
  runtime: {
    ...option.text(
      'NAME=PATH: measure this one too, or instead of the known one (tsrun, crun, runc); NAME= leaves one out',
    ),
    array: true,
    default: [] as string[],
  },
  only: { ...option.text('measurements with this in their name; nothing is written then'), default: '' },
  'no-write': option.flag('print only'),
  growth: option.flag('the second part instead: how CPU time and memory grow with what a command is given'),
} as const;
