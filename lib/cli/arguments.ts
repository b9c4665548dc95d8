import { parseArgs, types, type ParseArgsConfig } from 'node:util';
import { suggest } from '../options/check.js';
import type { DoctorOptions } from '../options/doctor.js';
import type { GenerateOptions } from '../options/generate.js';
import type { LoadModelOptions } from '../options/load.js';
import type { PacePreset } from '../options/pace.js';

/** What the command line asks for. */
export type Command =
  | { readonly name: 'help'; readonly of: CommandName }
  | { readonly name: 'version' }
  | {
      readonly name: 'run';
      readonly prompt: string | undefined;
      readonly model: string | undefined;
      readonly system: string | undefined;
      readonly quiet: boolean;
      readonly load: LoadModelOptions;
      readonly generate: GenerateOptions;
    }
  | {
      readonly name: 'doctor';
      readonly json: boolean;
      readonly selfTest: boolean;
      /** Seconds. */
      readonly stepTimeout: number | undefined;
      /** File to write a report to. */
      readonly report: string | undefined;
      readonly options: DoctorOptions;
    };

/** A command line that cannot be understood. */
export class UsageError extends Error {}

type Flags = NonNullable<ParseArgsConfig['options']>;

const commonFlags = {
  model: { type: 'string', short: 'm' },
  runtime: { type: 'string' },
  'max-context-length': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies Flags;

const runFlags = {
  backend: { type: 'string' },
  template: { type: 'string' },
  system: { type: 'string', short: 's' },
  'max-new-tokens': { type: 'string', short: 'n' },
  temperature: { type: 'string', short: 't' },
  'top-k': { type: 'string' },
  'top-p': { type: 'string' },
  'repeat-penalty': { type: 'string' },
  seed: { type: 'string' },
  threads: { type: 'string' },
  pace: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
} as const satisfies Flags;

const doctorFlags = {
  verify: { type: 'boolean' },
  'require-npu': { type: 'boolean' },
  json: { type: 'boolean' },
  'self-test': { type: 'boolean' },
  'step-timeout': { type: 'string' },
  report: { type: 'string' },
} as const satisfies Flags;

const flags = { ...commonFlags, ...runFlags, ...doctorFlags };

/** What only one command has. */
const flagsOf = { run: runFlags, doctor: doctorFlags } as const satisfies Readonly<Record<string, Flags>>;
type CommandName = keyof typeof flagsOf;

/**
 * Reads a command line.
 *
 * @param argv - without the interpreter and the script.
 * @throws UsageError
 */
export function parseCommandLine(argv: readonly string[]): Command {
  const { values, positionals } = parse(argv);
  const [command = 'run', ...words] = positionals;
  if (values.help) return { name: 'help', of: command === 'doctor' ? 'doctor' : 'run' };
  if (values.version) return { name: 'version' };
  if (command !== 'run' && command !== 'doctor') {
    throw new UsageError(`There is no command '${command}'. To ask a model: rkllm run "${command}".`);
  }
  refuseForeignFlags(command, Object.keys(values));
  return command === 'run' ? runCommand(words, values) : doctorCommand(words, values);
}

type Values = ReturnType<typeof parse>['values'];

function runCommand(words: readonly string[], values: Values): Command {
  return {
    name: 'run',
    prompt: words.length === 0 ? undefined : words.join(' '),
    model: values.model,
    system: values.system,
    quiet: values.quiet ?? false,
    load: {
      // Unknown names are refused by loadModel(), with the list of known ones; so are those of pace.
      backend: values.backend as LoadModelOptions['backend'],
      template: templateChoice(values.template),
      runtimePath: values.runtime,
      maxContextLength: number('max-context-length', values['max-context-length']),
      threads: number('threads', values.threads),
      pace: values.pace === undefined ? undefined : { preset: values.pace as PacePreset },
    },
    generate: {
      maxNewTokens: number('max-new-tokens', values['max-new-tokens']),
      temperature: number('temperature', values.temperature),
      topK: number('top-k', values['top-k']),
      topP: number('top-p', values['top-p']),
      repeatPenalty: number('repeat-penalty', values['repeat-penalty']),
      seed: number('seed', values.seed),
    },
  };
}

/** A file is told from a name by its ending. */
function templateChoice(text: string | undefined): LoadModelOptions['template'] {
  return text !== undefined && /\.(?:jinja|json)$/u.test(text)
    ? { file: text }
    : (text as LoadModelOptions['template']);
}

function doctorCommand([word]: readonly string[], values: Values): Command {
  if (word !== undefined) {
    throw new UsageError(`rkllm doctor takes no '${word}'. To look at a model: rkllm doctor --model "${word}".`);
  }
  return {
    name: 'doctor',
    json: values.json ?? false,
    selfTest: values['self-test'] ?? false,
    stepTimeout: stepTimeout(values['step-timeout']),
    report: values.report,
    options: {
      model: values.model,
      verify: values.verify,
      runtimePath: values.runtime,
      maxContextLength: number('max-context-length', values['max-context-length']),
      requireNpu: values['require-npu'],
    },
  };
}

/** In a range that a timer takes. */
function stepTimeout(text: string | undefined): number | undefined {
  const seconds = number('step-timeout', text);
  if (seconds === undefined || (seconds > 0 && seconds <= 86_400)) return seconds;
  throw new UsageError(`--step-timeout takes seconds above 0 and up to 86400, not '${String(text)}'.`);
}

function refuseForeignFlags(command: CommandName, given: readonly string[]): void {
  const owners = Object.keys(flagsOf) as CommandName[];
  for (const owner of owners) {
    const foreign = owner === command ? undefined : given.find((flag) => flag in flagsOf[owner]);
    if (foreign === undefined) continue;
    throw new UsageError(`rkllm ${command} has no option '--${foreign}'; rkllm ${owner} has it.`);
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags, allowPositionals: true });
  } catch (error) {
    if (!types.isNativeError(error)) throw error;
    const { message } = error;
    const isUnknown = 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION';
    const name = isUnknown ? /'--([^'=\s]+)/u.exec(message)?.[1] : undefined;
    const suggestion = name === undefined ? undefined : suggest(name, Object.keys(flags));
    throw new UsageError(
      suggestion === undefined ? message : `Unknown option '--${String(name)}'. Did you mean '--${suggestion}'?`,
    );
  }
}

function number(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new UsageError(`--${flag} takes a number, not '${text}'.`);
  return value;
}
