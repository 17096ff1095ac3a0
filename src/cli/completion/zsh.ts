/** `tsrun completion zsh`: one `_arguments` specification a command. */
import type { CompletedCommand, CompletedOption, Completion, Offer } from './model.js';

/** A word for the shell, in single quotes. */
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
/** A text inside a specification, where brackets and colons mean something. */
const plain = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&');

function action(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `(${offer.words.join(' ')})`;
    case 'directories':
      return '_files -/';
    case 'files':
      return '_files';
    case 'containers':
      return '_tsrun_containers';
    case 'nothing':
      return ' ';
  }
}

function optionSpecs({ name, short, about, repeats, value }: CompletedOption): string[] {
  const spellings = short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
  const guard = repeats ? '*' : spellings.length > 1 ? `(${spellings.join(' ')})` : '';
  const tail = value ? `:${plain(value.name)}:${action(value.offer)}` : '';
  return spellings.map((spelling) => {
    const mark = value === undefined ? '' : spelling.startsWith('--') ? '=' : '+';
    return quote(`${guard}${spelling}${mark}[${plain(about)}]${tail}`);
  });
}

function commandCase({ name, options, operands, optionsFirst }: CompletedCommand): string {
  const specs = [
    ...options.flatMap(optionSpecs),
    ...operands.map(({ name: operand, offer }, at) => quote(`${at + 1}:${operand}:${action(offer)}`)),
  ];
  const start = `_arguments -S${optionsFirst ? " -A '-*'" : ''}`;
  return `        ${name})\n          ${[start, ...specs].join(' \\\n            ')} ;;\n`;
}

/** The whole script: a file named _tsrun in $fpath, or sourced after compinit. */
export function zshScript({ globals, commands }: Completion): string {
  const specs = [...globals.flatMap(optionSpecs), quote('1:command:->command'), quote('*::argument:->argument')];
  const names = commands.map(({ name, about }) => `        ${quote(`${name}:${about}`)}\n`).join('');
  return `#compdef tsrun
# zsh completion for tsrun, printed by: tsrun completion zsh

_tsrun_containers() {
  local -a ids
  ids=(\${(f)"$($program $root list -q 2>/dev/null)"})
  compadd -a ids
}

_tsrun() {
  local program=\${words[1]/#\\~/$HOME} context curcontext=$curcontext state line
  local -a root commands
  typeset -A opt_args
  _arguments -C -S -A '-*' \\
    ${specs.join(' \\\n    ')} && return

  case $state in
    command)
      commands=(
${names}      )
      _describe -t commands command commands ;;
    argument)
      [[ -n $opt_args[--root] ]] && root=(--root \${(Q)opt_args[--root]})
      curcontext=\${curcontext%:*}-$words[1]:
      case $words[1] in
${commands.map(commandCase).join('')}      esac ;;
  esac
}

# Called by the completion system when this is a file in $fpath; otherwise it has been sourced.
if [[ $funcstack[1] == _tsrun ]]; then _tsrun "$@"; else compdef _tsrun tsrun; fi
`;
}
