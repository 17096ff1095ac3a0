import { fail } from '../../errors/error.js';
import { bashScript } from '../completion/bash.js';
import { fishScript } from '../completion/fish.js';
import { completionModel, shells } from '../completion/model.js';
import { zshScript } from '../completion/zsh.js';
import { type Command, type Context, print } from '../context.js';

const scripts: { readonly [shell: string]: typeof bashScript } = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** `available` are the commands this build has: the scripts offer no other. */
export const completionCommand = (available: (name: string) => boolean): Command => ({
  run({ operands }: Context): number {
    const [shell = ''] = operands;
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (!script) {
      return fail('TSR_CLI_VALUE', `unknown shell '${shell}'`, { hint: `there are scripts for ${shells.join(', ')}` });
    }
    print(script(completionModel(available)));
    return 0;
  },
});
