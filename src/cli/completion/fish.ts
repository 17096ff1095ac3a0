/** `tsrun completion fish`: one `complete` an option or operand, each under the condition that it fits here. */
import type { CompletedOption, Completion, Offer } from './model.js';

const quote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;

/** Arguments of `complete` that offer these; fish offers files by itself unless told not to. */
function candidates(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `-x -a ${quote(offer.words.join(' '))}`;
    case 'directories':
      return "-x -a '(__fish_complete_directories (commandline -ct))'";
    case 'files':
      return '-r -F';
    case 'containers':
      return "-x -a '(__tsrun_containers)'";
    case 'nothing':
      return '-x';
  }
}

function optionLine(condition: string, { name, short, about, value }: CompletedOption): string {
  const spellings = short === undefined ? `-l ${name}` : `-s ${short} -l ${name}`;
  const values = value ? ` ${candidates(value.offer)}` : '';
  return `complete -c tsrun -n ${quote(condition)} ${spellings}${values} -d ${quote(about)}\n`;
}

const takesValue = (command: string, options: readonly CompletedOption[]): string[] =>
  options.flatMap(({ name, short, value }) => {
    if (!value) return [];
    return short === undefined ? [`${command}/${name}`] : [`${command}/${name}`, `${command}/${short}`];
  });

/** The whole script. */
export function fishScript({ globals, commands }: Completion): string {
  const takes = [
    ...takesValue('', globals),
    ...commands.flatMap(({ name, options }) => takesValue(name, options)),
  ].join(' ');
  const optionsFirst = commands.filter((command) => command.optionsFirst).map(({ name }) => name);
  const lines = [
    ...globals.map((option) => optionLine('__tsrun_options ""', option)),
    ...commands.map(({ name, about }) => `complete -c tsrun -n '__tsrun_at ""' -x -a ${name} -d ${quote(about)}\n`),
    ...commands.flatMap(({ name, options, operands }) => [
      ...options.map((option) => optionLine(`__tsrun_options ${name}`, option)),
      ...operands
        .map(({ offer }, at) => [offer, at + 1] as const)
        .filter(([offer]) => offer.kind !== 'nothing')
        .map(([offer, number]) => `complete -c tsrun -n '__tsrun_at ${name} ${number}' ${candidates(offer)}\n`),
    ]),
  ];
  return `# fish completion for tsrun, printed by: tsrun completion fish
set -g __tsrun_takes_value ${takes}
set -g __tsrun_options_first ${optionsFirst.join(' ')}

# What stands before the cursor: the command (or nothing), the number of the operand that comes next, the state root,
# and whether options have ended.
function __tsrun_walk
    set -l tokens (commandline -opc)
    set -l command ''
    set -l number 1
    set -l ended ''
    set -l option ''
    set -l root ''
    for token in $tokens[2..-1]
        if test -n "$option"
            test "$option" = /root; and set root $token
            set option ''
        else if test "$token" = --
            set ended 1
        else if test -z "$ended"; and string match -qr -- '^-.' $token
            set -l name (string replace -r -- '^--?' '' $token)
            string match -q -- '/root=*' "$command/$name"; and set root (string replace -r '^root=' '' -- $name)
            contains -- "$command/$name" $__tsrun_takes_value; and set option "$command/$name"
        else if test -z "$command"
            set command $token
            set ended ''
        else
            set number (math $number + 1)
            contains -- $command $__tsrun_options_first; and set ended 1
        end
    end
    printf '%s\\n' "$command" $number "$root" "$ended"
end

# Is this COMMAND, where it still takes options?
function __tsrun_options
    set -l walk (__tsrun_walk)
    test "$walk[1]" = "$argv[1]" -a -z "$walk[4]"
end

# Is this COMMAND, and the operand that comes next the NUMBERth?
function __tsrun_at
    set -l walk (__tsrun_walk)
    test "$walk[1]" = "$argv[1]"; and test -z "$argv[2]" -o "$walk[2]" = "$argv[2]"
end

function __tsrun_containers
    set -l tokens (commandline -opc)
    set -l walk (__tsrun_walk)
    set -l root
    test -n "$walk[3]"; and set root --root $walk[3]
    $tokens[1] $root list -q 2>/dev/null
end

complete -c tsrun -f
${lines.join('')}`;
}
