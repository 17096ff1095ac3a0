// The scripts in the shells they are for: what is offered for a line that ends at the cursor.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cleanUp, draftOf, makeRoot, publish } from '../../state/test-container.js';
import { hasCommand } from '../commands.js';
import { completionModel } from './model.js';
import { folderFor } from '../../test-fixtures.js';

const dist = fileURLToPath(new URL('../../../..', import.meta.url));
const folder = folderFor(test, 'completion');
test.after(cleanUp);

/** As readline does it: words cut at blanks and `=`, the last one under the cursor. */
const bash = `source <(tsrun completion bash)
line=\${1//=/ = }
read -ra COMP_WORDS <<<"$line"
[[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_tsrun
printf '%s\\n' "\${COMPREPLY[@]}"`;

/** An interactive zsh on a terminal of its own, whose compadd also writes to a file what it is given. */
const zsh = `zmodload zsh/zpty
cat >rc <<'END'
PROMPT=ready
autoload -Uz compinit
compinit -u -d $PWD/dump
source <(tsrun completion zsh)
zstyle ':completion:*' insert-tab false
bindkey '^I' complete-word
compadd() {
  local -a hits
  if [[ -z \${(M)@:#-[OAD]} ]]; then
    builtin compadd -A hits "$@"
    (( $#hits )) && print -rl -- $hits >>offered
  fi
  builtin compadd "$@"
}
comppostfuncs=(exit)
END
: >offered
zpty shell 'zsh -f -i'
zpty -w shell 'source ./rc'
zpty -r -m shell reply '*ready*'
zpty -n -w shell "$1"$'\\t'
while zpty -r shell reply; do :; done
cat offered`;

const fish = `tsrun completion fish | source
complete -C "$argv[1]"`;

/** Without descriptions, without the slash that some shells put after a folder, each once. */
function offered(shell: string, line: string): string[] {
  const commands: { readonly [shell: string]: string[] } = {
    bash: ['bash', '--norc', '-c', bash, 'bash', line],
    zsh: ['zsh', '-f', '-c', zsh, 'zsh', line],
    fish: ['fish', '--no-config', '-c', fish, line],
  };
  const [program, ...args] = commands[shell]!;
  const { status, stdout, stderr } = spawnSync(program!, args, {
    encoding: 'utf8',
    cwd: folder,
    timeout: 30_000,
    env: { PATH: `${dist}:/usr/bin:/bin`, HOME: folder, TERM: 'dumb' },
  });
  assert.equal([status, stderr], [0, ''], `${shell}: ${line}`);
  const words = stdout.split('\n').map((word) => word.replace(/\t.*/, '').replace(/^.*=/, ''));
  return [...new Set(words.map((word) => word.replace(/\/$/, '')))].filter((word) => word !== '').sort();
}

const model = completionModel(hasCommand);
const flagsOf = (command: string): string[] =>
  model.commands.find(({ name }) => name === command)!.options.map(({ name }) => `--${name}`);

for (const shell of ['bash', 'zsh', 'fish']) {
  const installed = existsSync(`/usr/bin/${shell}`);
  const check = installed ? test : test.skip;
  const gives = (line: string, wanted: readonly string[]) =>
    assert.equal(offered(shell, line), [...wanted].sort(), `${shell}: ${line}`);

  check(`${shell} completes commands, options and fixed values`, () => {
    gives(
      'tsrun ',
      model.commands.map(({ name }) => name),
    );
    gives('tsrun --log-format json st', ['start', 'state', 'stats']);
    gives('tsrun create --', flagsOf('create'));
    gives('tsrun update --memory-', ['--memory-reservation', '--memory-swap']);
    gives('tsrun --cgroup-manager ', ['cgroupfs', 'systemd', 'disabled']);
    gives('tsrun --cgroup-manager=sys', ['systemd']);
    gives('tsrun list --format ', ['json', 'table']);
    gives('tsrun exec --cap CAP_SYS_A', ['CAP_SYS_ADMIN']);
    gives('tsrun completion ', ['bash', 'fish', 'zsh']);
    gives('tsrun exec --env A=b --cap CAP_SYS_A', ['CAP_SYS_ADMIN']);
  });

  check(`${shell} completes the ids under the state root that the line names, then signals`, () => {
    const root = makeRoot();
    for (const id of ['web', 'worker', 'db']) publish(root, draftOf(id), { pid: 2 ** 22 + 1, startTime: 1 });
    gives(`tsrun --root ${root} kill `, ['db', 'web', 'worker']);
    gives(`tsrun --root=${root} delete --force w`, ['web', 'worker']);
    gives(`tsrun --root ${root} exec --cwd / d`, ['db']);
    gives(`tsrun --root ${root} kill web US`, ['USR1', 'USR2']);
    gives(`tsrun --root ${root} kill web TERM `, []);
    gives(`tsrun --root ${root} exec web --`, []);
  });

  check(`${shell} completes folders for a bundle and files for a file, and no id for a new container`, () => {
    for (const name of ['bundle-a', 'bundle-b']) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'bundle.json'), '');
    gives('tsrun run --bundle bun', ['bundle-a', 'bundle-b']);
    gives('tsrun run -b bun', ['bundle-a', 'bundle-b']);
    gives('tsrun update --resources bundle', ['bundle-a', 'bundle-b', 'bundle.json']);
    gives('tsrun run --bundle bundle-a ', []);
  });
}

test('an unknown shell is refused with the names of the known ones', () => {
  const { status, stderr } = spawnSync(join(dist, 'tsrun'), ['completion', 'csh'], { encoding: 'utf8' });
  assert.equal([status, stderr], [1, "tsrun completion: unknown shell 'csh'; there are scripts for bash, zsh, fish\n"]);
});

test.run();
