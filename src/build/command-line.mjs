// The command line of the tools that people run: each has a table of its options, and help, types and errors are alike.
// An option that is not known, or a wrong value, is one line on stderr and exit status 1; --help is exit status 0.
// The program's own command line is another matter: docs/decisions/0003-command-line-by-hand.md.
import yargs from 'yargs';

/** A whole number of `least` or more. */
const count = (description, usual, least = 1) => ({
  type: 'number',
  requiresArg: true,
  description,
  default: usual,
  coerce: (given) => {
    if (!Number.isInteger(given) || given < least) throw new Error(`wants a whole number from ${least} on`);
    return given;
  },
});

/** Words with commas between them, none of them twice; with `known`, of these only. */
const list = (description, known) => ({
  type: 'string',
  requiresArg: true,
  description: known ? `${description}: ${known.join(', ')}` : description,
  default: '',
  defaultDescription: 'all',
  coerce: (given) => {
    const words = [...new Set([given].flat().join().split(','))].filter(Boolean);
    const stranger = known && words.find((word) => !known.includes(word));
    if (stranger !== undefined) throw new Error(`no '${stranger}'; there are: ${known.join(', ')}`);
    return words;
  },
});

const text = (description) => ({ type: 'string', requiresArg: true, description });
const flag = (description) => ({ type: 'boolean', default: false, description });
export const option = { count, list, text, flag };

const shown = ([name, { demandOption, array }]) => {
  const word = array ? `${name}..` : name;
  return demandOption ? `<${word}>` : `[${word}]`;
};

/** yargs does not say which option a complaint of `coerce` is about. */
const named = ([key, value]) => {
  if (!value.coerce) return [key, value];
  const coerce = (given) => {
    try {
      return value.coerce(given);
    } catch (error) {
      throw new Error(`--${key}: ${error.message}`);
    }
  };
  return [key, { ...value, coerce }];
};

/**
 * What was given to the tool. `name` begins its errors, `call` is what one types to start it.
 * @throws nothing: the process ends where the words are wrong, or ask for help.
 */
export function commandLine({ name, call, about, positionals = {}, options = {}, examples = [] }, words) {
  const stop = (message) => {
    console.error(`${name}: ${message.replace(/\s+/g, ' ').trim()} (--help says what there is)`);
    process.exit(1);
  };
  const declare = (parser) => {
    for (const [key, value] of Object.entries(positionals)) parser.positional(key, { type: 'string', ...value });
    return parser.options(Object.fromEntries(Object.entries(options).map(named)));
  };
  const wanted = Object.entries(positionals).map(shown);
  const scalars = Object.keys(options).filter((key) => !options[key].array && !options[key].coerce);
  const tool = yargs(words ?? process.argv.slice(2))
    .locale('en')
    .parserConfiguration({
      'boolean-negation': false, // --no-write is an option of its own
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .scriptName(call)
    .command(['$0', ...wanted].join(' '), about, declare)
    .strict()
    .check((given) => {
      const twice = scalars.find((key) => Array.isArray(given[key]));
      if (twice !== undefined) throw new Error(`--${twice} is given twice`);
      return true;
    })
    .version(false)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(process.stdout.columns || 100, 120))
    .fail((message, error) => {
      if (message?.startsWith('Not enough non-option')) stop(`wants ${wanted.join(' ')}`);
      stop(message || error.message);
    });
  for (const [words, meaning] of examples) tool.example(words, meaning);
  const given = tool.parseSync();
  for (const [key, { array }] of Object.entries(positionals)) if (array) given[key] ??= []; // of no words at all it makes nothing
  return given;
}
