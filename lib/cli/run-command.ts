import { addAbortSignal } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { nativeAddonStatus } from '../backends/rkllm/addon.js';
import { isRkllmError } from '../errors.js';
import type { Generation } from '../generation.js';
import { loadModel } from '../load-model.js';
import type { Model } from '../model.js';
import type { GenerateInput } from '../prompt.js';
import type { Command } from './arguments.js';
import { figuresLine } from './figures.js';
import { paintFor, whileShowing } from './terminal.js';

const interruptedExitCode = 130;

/** Asks a model and streams its answer; resolves with the exit code. */
export async function runCommand(command: Extract<Command, { name: 'run' }>): Promise<number> {
  const interrupt = new AbortController();
  const onInterrupt = (): void => {
    // A second Ctrl-C does not wait for anything.
    if (interrupt.signal.aborted) process.exit(interruptedExitCode);
    interrupt.abort();
  };
  process.on('SIGINT', onInterrupt);
  try {
    const prompt = command.prompt === '-' ? await readInput(interrupt.signal) : (command.prompt ?? 'What can you do?');
    const options = { ...command.load, signal: interrupt.signal };
    const load = (): Promise<Model> => loadModel(command.model, options);
    await using model = await whileShowing(`Loading ${command.model ?? 'the model'} …`, process.stderr, load);
    if (!command.quiet && model.info.backend === 'onnx') noteMissingAddon();
    const generation = model.generate(conversation(command.system, prompt), {
      ...command.generate,
      signal: interrupt.signal,
      onAbort: 'return',
    });
    await streamTo(process.stdout, generation);
    const result = await generation;
    process.stdout.write(result.text.endsWith('\n') ? '' : '\n');
    if (!command.quiet)
      process.stdout.write(`${paintFor(process.stdout, process.env)('faint', figuresLine(model.info, result))}\n`);
    return interrupt.signal.aborted ? interruptedExitCode : 0;
  } catch (error) {
    if (interrupt.signal.aborted && !isRkllmError(error)) return interruptedExitCode;
    throw error;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

function readInput(signal: AbortSignal): Promise<string> {
  return readAll(addAbortSignal(signal, process.stdin));
}

function conversation(system: string | undefined, prompt: string): GenerateInput {
  return system === undefined
    ? prompt
    : [
        { role: 'system', content: system },
        { role: 'user', content: prompt },
      ];
}

async function streamTo(output: NodeJS.WriteStream, generation: Generation): Promise<void> {
  // A reader that goes away (`| head -1`) has what it wanted: that ends the answer, and is no error.
  output.on('error', () => generation.abort());
  for await (const text of generation.textStream) output.write(text);
}

function noteMissingAddon(): void {
  const status = nativeAddonStatus();
  if (status.available) return;
  const note =
    'note: the native addon (for the NPU) is not built; the CPU does not need it. ' +
    `To build it: sudo apt-get install ${status.packages.join(' ')} && npm run build:native`;
  process.stderr.write(`${paintFor(process.stderr, process.env)('faint', note)}\n`);
}
