import { parseArgs, types, type ParseArgsConfig } from 'node:util';
import { suggest } from '../options/check.js';
import type { GenerateOptions } from '../options/generate.js';
import type { LoadModelOptions } from '../options/load.js';

/** What the command line asks for. */
export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'version' }
  | {
      readonly name: 'run';
      readonly prompt: string | undefined;
      readonly model: string | undefined;
      readonly system: string | undefined;
      readonly quiet: boolean;
      readonly load: LoadModelOptions;
      readonly generate: GenerateOptions;
    };

/** A command line that cannot be understood. */
export class UsageError extends Error {}

const flags = {
  model: { type: 'string', short: 'm' },
  backend: { type: 'string' },
  runtime: { type: 'string' },
  template: { type: 'string' },
  system: { type: 'string', short: 's' },
  'max-context-length': { type: 'string' },
  'max-new-tokens': { type: 'string', short: 'n' },
  temperature: { type: 'string', short: 't' },
  'top-k': { type: 'string' },
  'top-p': { type: 'string' },
  'repeat-penalty': { type: 'string' },
  seed: { type: 'string' },
  threads: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies ParseArgsConfig['options'];

export const usage = `Usage: rkllm run [options] [prompt]

Asks a model and streams its answer. Without a prompt it asks the model what it can do;
"-" reads the prompt from standard input.

  -m, --model PATH           a .rkllm file, or an ONNX model's directory; default: $RKLLM_MODEL,
                             else the small model that comes with rkllm
  -s, --system TEXT          what the model is told first
  -n, --max-new-tokens N     stop after N tokens
  -t, --temperature N        0 is always the most likely token
      --top-k N, --top-p N, --repeat-penalty N, --seed N
      --backend NAME         auto, onnx or rkllm; default: $RKLLM_BACKEND, else auto
      --runtime PATH         the vendor's librkllmrt.so; default: $RKLLM_RUNTIME_PATH
      --template NAME        auto, phi3, none or runtime
      --max-context-length N, --threads N
  -q, --quiet                the answer only
  -h, --help, -v, --version

Exit codes: 0 answered, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
`;

/**
 * Reads a command line.
 *
 * @param argv - without the interpreter and the script.
 * @throws UsageError
 */
export function parseCommandLine(argv: readonly string[]): Command {
  const { values, positionals } = parse(argv);
  if (values.help) return { name: 'help' };
  if (values.version) return { name: 'version' };
  const [command = 'run', ...prompt] = positionals;
  if (command !== 'run') {
    throw new UsageError(`There is no command '${command}'. To ask a model: rkllm run "${command}".`);
  }
  return {
    name: 'run',
    prompt: prompt.length === 0 ? undefined : prompt.join(' '),
    model: values.model,
    system: values.system,
    quiet: values.quiet ?? false,
    load: {
      // Unknown names are refused by loadModel(), with the list of known ones.
      backend: values.backend as LoadModelOptions['backend'],
      template: values.template as LoadModelOptions['template'],
      runtimePath: values.runtime,
      maxContextLength: number('max-context-length', values['max-context-length']),
      threads: number('threads', values.threads),
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
