/** `tsrun completion bash`: tables as case statements, and one function that walks the words of the line. */
import type { CompletedOption, Completion, Offer } from './model.js';

const textOf = (offer: Offer): string => (offer.kind === 'words' ? `words ${offer.words.join(' ')}` : offer.kind);

/** Rows of `pattern|pattern) value='…' ;;`, places with the same offer together. */
function cases(places: readonly (readonly [place: string, offer: Offer])[]): string {
  const byOffer = new Map<string, string[]>();
  for (const [place, offer] of places) {
    const text = textOf(offer);
    byOffer.set(text, [...(byOffer.get(text) ?? []), place]);
  }
  return [...byOffer].map(([text, list]) => `    ${list.join('|')}) value='${text}' ;;\n`).join('');
}

const valuesOf = (command: string, options: readonly CompletedOption[]): (readonly [string, Offer])[] =>
  options.flatMap(({ name, short, value }) => {
    if (!value) return [];
    const names = short === undefined ? [name] : [name, short];
    return names.map((one) => [`${command}/${one}`, value.offer] as const);
  });

const flagsOf = (options: readonly CompletedOption[]): string => options.map(({ name }) => `--${name}`).join(' ');

/** The whole script. */
export function bashScript({ globals, commands }: Completion): string {
  const flags = commands.map(({ name, options }) => `    ${name}) flags='${flagsOf(options)}' ;;\n`).join('');
  const values = cases([...valuesOf('', globals), ...commands.flatMap(({ name, options }) => valuesOf(name, options))]);
  const operands = cases(
    commands.flatMap(({ name, operands }) => operands.map(({ offer }, at) => [`${name}/${at + 1}`, offer] as const)),
  );
  const optionsFirst = commands.filter((command) => command.optionsFirst).map(({ name }) => name);
  return `# bash completion for tsrun, printed by: tsrun completion bash
# Sets flags: the options of a command, or of tsrun itself.
_tsrun_flags() {
  case $1 in
    '') flags='${flagsOf(globals)}' ;;
${flags}  esac
}

# Sets value: what follows the option COMMAND/NAME; empty for a switch.
_tsrun_value() {
  value=
  case $1 in
${values}  esac
}

# Sets value: what the operand COMMAND/NUMBER is.
_tsrun_operand() {
  value=nothing
  case $1 in
${operands}  esac
}

${walk(commands.map(({ name }) => name).join(' '), optionsFirst.join('|'))}
complete -F _tsrun tsrun
`;
}

/** Bash has cut the line at each '='; the words are put together again before they are looked at. */
const walk = (commands: string, optionsFirst: string): string => `_tsrun() {
  local words=() root=() word= name= command= current= flags= value= ended= joined= prefix= count=0 index
  COMPREPLY=()
  for ((index = 1; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ $word == = && \${#words[@]} -gt 0 ]]; then words[-1]+='=' joined=1
    elif [[ $joined ]]; then words[-1]+=$word joined=
    else words+=("$word"); fi
  done
  current=\${words[-1]}
  unset 'words[-1]'

  for word in "\${words[@]}"; do
    if [[ $value ]]; then
      [[ $command/$name == /root ]] && root=(--root "$word")
      value=
    elif [[ $word == -- ]]; then ended=1
    elif [[ ! $ended && $word == -?* ]]; then
      name=\${word#-} name=\${name#-}
      [[ $command/$name == /root=* ]] && root=(--root "\${name#*=}")
      _tsrun_value "$command/$name"
    elif [[ ! $command ]]; then command=$word ended=
    else
      count=$((count + 1))
      case $command in ${optionsFirst}) ended=1 ;; esac
    fi
  done

  if [[ ! $value && ! $ended && $current == -*=* ]]; then
    name=\${current%%=*}
    [[ $COMP_WORDBREAKS == *=* ]] || prefix=$name=
    name=\${name#-} name=\${name#-} current=\${current#*=}
    _tsrun_value "$command/$name"
  elif [[ ! $value && ! $ended && $current == -* ]]; then
    _tsrun_flags "$command"
    value="words $flags"
  elif [[ ! $value && ! $command ]]; then value='words ${commands}'
  elif [[ ! $value ]]; then _tsrun_operand "$command/$((count + 1))"; fi

  case $value in
    directories) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    containers)
      mapfile -t COMPREPLY < <(compgen -W "$("\${COMP_WORDS[0]/#\\~/$HOME}" "\${root[@]}" list -q 2>/dev/null)" -- "$current") ;;
    words*) mapfile -t COMPREPLY < <(compgen -W "\${value#words}" -- "$current") ;;
  esac
  [[ $prefix ]] && COMPREPLY=("\${COMPREPLY[@]/#/$prefix}")
  return 0
}`;
