/**
 * What users write, and what the compiler must refuse. `tsc -p test` and the oldest and newest compiler compile it;
 * nothing runs it. A line that should be an error and is none is reported as an unused `@ts-expect-error`.
 */
import { subscribe } from 'node:diagnostics_channel';
import {
  channels,
  isRkllmError,
  loadModel,
  toGenAiAttributes,
  toGenAiMetrics,
  type Backend,
  type BatchAnswer,
  type ChatMessage,
  type Chunk,
  type ChatSession,
  type ContextUsage,
  type FinishReason,
  type GenerateInput,
  type GenerateOptions,
  type GenerateTrace,
  type Generation,
  type GenerationHandle,
  type GenerationResult,
  type LoadModelOptions,
  type LogFields,
  type Model,
  type QueueTrace,
  type RkllmErrorCode,
  type RuntimeInput,
  type SavedChat,
  type ToolCall,
  type WarmedPrompt,
} from 'rkllm';
import { manualClock, scripted, type ManualClock, type Script, type ScriptedBackend } from 'rkllm/testing';
import { is } from './equal.js';

export async function reading(model: Model, signal: AbortSignal): Promise<void> {
  const generation = model.generate('Hi', { signal, stop: ['\n'], onAbort: 'return', maxNewTokens: 5, seed: 1 });
  is<Generation>()(generation, true);
  for await (const chunk of generation) {
    is<Chunk>()(chunk, true);
    if (chunk.type === 'text') is<string>()(chunk.text, true);
    else if (chunk.type === 'reasoning') is<readonly number[]>()(chunk.tokenIds, true);
    else if (chunk.type === 'tool-call') is<ToolCall>()(chunk.call, true);
    else is<FinishReason>()(chunk.finishReason, true);
    // @ts-expect-error -- only text chunks have text
    String(chunk.text);
  }
  for await (const text of generation.textStream) is<string>()(text, true);
  const result = await generation;
  is<GenerationResult>()(result, true);
  is<string>()(result.text, true);
  is<number | undefined>()(result.usage.inputTokens, true);
  is<number>()(result.usage.outputTokens, true);
  is<number | undefined>()(result.usage.totalTokens, true);
  const length = await generation.then(({ text }) => text.length);
  is<number>()(length, true);
  await generation.result().finally(() => undefined);
  generation.abort();
  generation.abort(new Error('enough'));
  is<unknown>()(result.abortReason, true);
  is<string | undefined>()(result.reasoning, true);
  is<boolean>()(result.reasoningTruncated, true);
  is<readonly ToolCall[]>()(result.toolCalls, true);
  // @ts-expect-error -- nobody has checked them
  is<string>()(result.toolCalls[0]?.arguments['city'], true);
  // @ts-expect-error -- what failed rejects
  is<FinishReason>()('error', true);
  is<number | undefined>()(generation.queuePosition, true);
  // @ts-expect-error -- a generation is a thenable, not a promise: result() is
  String(generation.catch);
  // @ts-expect-error -- results are read-only
  result.text = '';
  // @ts-expect-error -- states are not set from outside
  generation.state = 'done';
}

export async function handing(model: Model): Promise<GenerationHandle> {
  const generation = model.generate('Hi');
  for (const branch of generation.tee()) for await (const chunk of branch) is<Chunk>()(chunk, true);
  const web: ReadableStream<Chunk> = generation.toReadableStream();
  for await (const chunk of web) is<Chunk>()(chunk, true);
  await new Response(web.pipeThrough(new TransformStream<Chunk, Uint8Array>())).text();
  const handle = generation.handle();
  is<GenerationHandle>()(handle, true);
  // @ts-expect-error -- it has no then()
  String(handle.then);
  const sameHandle: GenerationHandle = generation;
  // @ts-expect-error -- a handle is no thenable
  const thenable: Generation = handle;
  return [sameHandle, thenable][0] ?? handle;
}

export async function asking(model: Model): Promise<void> {
  const messages: readonly ChatMessage[] = [{ role: 'user', content: 'Hi' }];
  const inputs: GenerateInput[] = ['Hi', messages, { prompt: 'Hi' }, { tokenIds: [1] }, { tokenIds: Int32Array.of(1) }];
  for (const input of inputs) await model.generate(input);
  // @ts-expect-error -- no such role
  model.generate([{ role: 'function', content: 'Hi' }]);
  model.generate([{ role: 'tool', content: '9', toolCallId: 'c1', toolName: 'weather' }]);
  // @ts-expect-error -- a number is no prompt
  model.generate(5);
  // @ts-expect-error -- a message must be in a list
  model.generate({ role: 'user', content: 'Hi' });
  const chat = model.chat({ system: 'Be brief.' });
  is<Generation>()(chat.send('Hi'), true);
  // @ts-expect-error -- the history is read-only
  String(chat.messages.push);
  // @ts-expect-error -- a chat takes text
  chat.send(messages);
  is<Generation>()(chat.regenerate({ maxNewTokens: 5 }), true);
  is<Generation>()(chat.editLast('Hello'), true);
  is<ChatSession>()(chat.fork(), true);
  is<Promise<ContextUsage>>()(chat.contextUsage('Hello'), true);
  is<Promise<WarmedPrompt>>()(chat.warm({ tools: [], signal: new AbortController().signal }), true);
  is<SavedChat>()(chat.toJSON(), true);
  model.chat({
    from: chat.toJSON(),
    partialAnswers: 'discard',
    reserveTokens: 100,
    onContextFull: 'drop-oldest-turns',
  });
  model.chat({
    onContextFull: (said, { promptTokens, signal }) => {
      is<readonly ChatMessage[]>()(said, true);
      is<number>()(promptTokens, true);
      is<AbortSignal>()(signal, true);
      return said.slice(-1);
    },
  });
  // @ts-expect-error -- what is saved has a version
  model.chat({ from: { messages: [] } });
  // @ts-expect-error -- a function gives messages
  model.chat({ onContextFull: () => 'Hi' });
}

export async function batching({ runtime }: Model): Promise<void> {
  const inputs: readonly RuntimeInput[] = [{ prompt: 'Hi' }, { embeddings: new Float32Array(8), tokens: 2 }];
  const answers = await runtime?.generateBatch(inputs, {
    maxNewTokens: 5,
    onText: (row, text, tokenIds) => {
      is<number>()(row, true);
      is<string>()(text, true);
      is<readonly number[]>()(tokenIds, true);
    },
  });
  is<readonly BatchAnswer[] | undefined>()(answers, true);
  // @ts-expect-error -- the sampling is that of the load
  await runtime?.generateBatch(inputs, { temperature: 0 });
  // @ts-expect-error -- prompts are used as they are: a string says nothing about a template
  await runtime?.generateBatch(['Hi']);
}

export const options: GenerateOptions[] = [
  {},
  { temperature: undefined, signal: undefined },
  // @ts-expect-error -- unknown option
  { maxTokens: 5 },
  // @ts-expect-error -- a number, not a string
  { maxNewTokens: '5' },
  { stopTokenIds: [32000], reasoning: 'split', maxReasoningTokens: 200, toolCalls: 'parse' },
  // @ts-expect-error -- not a choice
  { toolCalls: true },
  // @ts-expect-error -- a list of texts, not one
  { stop: '\n' },
  // @ts-expect-error -- either 'throw' or 'return'
  { onAbort: 'resolve' },
  // @ts-expect-error -- the signal, not its controller
  { signal: new AbortController() },
  // @ts-expect-error -- an option of loadModel()
  { maxContextLength: 512 },
];

const ignore = (...ignored: readonly unknown[]): void => {
  String(ignored);
};

export const loadOptions: LoadModelOptions[] = [
  { backend: 'onnx', template: 'phi3', queue: { maxPending: 0, timeoutMs: undefined }, threads: 2, temperature: 0 },
  { backend: scripted({ reply: 'Hi' }), runtimePath: '/usr/lib/librkllmrt.so' },
  { sampling: 'reload' },
  { promptCacheDirectory: '/mnt/nvme' },
  { onCrash: 'restart', restart: { maxCrashes: 5, windowMs: 60_000, delayMs: 0, maxDelayMs: 5 } },
  { logger: console },
  {
    logger: {
      debug: ignore,
      info: ignore,
      warn: (fields: LogFields, message: string) => ignore(fields, message),
      error: ignore,
    },
  },
  // @ts-expect-error -- a level is missing
  { logger: { debug: ignore, info: ignore, warn: ignore } },
  // @ts-expect-error -- the fields come first
  { logger: { debug: ignore, info: ignore, warn: ignore, error: (message: string) => ignore(message) } },
  // @ts-expect-error -- not a choice
  { sampling: 'native' },
  // @ts-expect-error -- not a choice
  { onCrash: 'reload' },
  // @ts-expect-error -- no such backend
  { backend: 'cpu' },
  // @ts-expect-error -- no such template
  { template: 'phi-3' },
  // @ts-expect-error -- unknown option of the queue
  { queue: { size: 5 } },
  // @ts-expect-error -- an option of generate()
  { stop: ['\n'] },
];

export function observing(trace: GenerateTrace): void {
  channels.load.subscribe({
    start: (started) => is<string | undefined>()(started.path, true),
    end: ignore,
    asyncStart: ignore,
    asyncEnd: ({ result, state }) => ignore(result?.name, state),
    error: ({ error }) => is<unknown>()(error, true),
  });
  subscribe(channels.generate.asyncEnd.name, (message) => ignore(toGenAiAttributes(message as GenerateTrace)));
  subscribe(channels.queue.name, (message) => {
    const event = message as QueueTrace;
    if (event.event === 'added') is<number>()(event.position, true);
    // @ts-expect-error -- only what waits has a position
    ignore(event.position);
  });
  is<'done' | 'aborted' | 'failed' | undefined>()(trace.state, true);
  is<readonly FinishReason[] | undefined>()(trace.result?.finishReasons, true);
  is<Record<string, number>>()(toGenAiMetrics(trace), true);
  // @ts-expect-error -- there is no text
  ignore(trace.result?.text);
  // @ts-expect-error -- traces are read-only
  trace.model = '';
}

export async function loading(): Promise<void> {
  await using model = await loadModel();
  is<Model>()(model, true);
  is<'ready' | 'busy' | 'restarting' | 'disposing' | 'disposed' | 'failed'>()(model.state, true);
  await (await loadModel('model.rkllm', { signal: AbortSignal.timeout(5) })).dispose({ abort: true });
  // @ts-expect-error -- the path comes first
  await loadModel({ backend: 'onnx' });
  // @ts-expect-error -- unknown option
  await model.dispose({ force: true });
  // @ts-expect-error -- what a model is cannot be changed
  model.info.name = '';
}

export function errors(error: unknown): RkllmErrorCode | undefined {
  if (!isRkllmError(error)) return undefined;
  is<string>()(error.hint, true);
  // @ts-expect-error -- no such code
  if (error.code === 'RKLLM_NOPE') return undefined;
  // @ts-expect-error -- no such code
  isRkllmError(error, 'RKLLM_NOPE');
  return isRkllmError(error, 'RKLLM_DISPOSED') ? error.code : undefined;
}

export const scripts: Script[] = [
  { reply: (prompt) => [prompt, { text: Uint8Array.of(0xf0), id: 5, delayMs: 1 }], tokenMs: 1, failAfterTokens: 3 },
  { replies: ['a', ['b'], { tokens: ['c'], failWith: { code: 'RKLLM_RUN_FAILED' } }], clock: manualClock() },
  // @ts-expect-error -- a text or tokens
  { reply: 5 },
  // @ts-expect-error -- a token has a text
  { reply: [{ id: 5 }] },
  // @ts-expect-error -- no such code
  { failWith: { code: 'RKLLM_NOPE' } },
];

export async function record(clock: ManualClock): Promise<void> {
  const backend = scripted({ clock });
  is<ScriptedBackend>()(backend, true);
  await clock.advance(5);
  for (const { written, outcome, request } of backend.requests) String([written, outcome, request.maxNewTokens]);
  // @ts-expect-error -- the record is read-only
  String(backend.requests.push);
}

/** A backend of one's own needs nothing but exported types. */
export const own: Backend = {
  name: 'own',
  load: async (request) => {
    is<string | undefined>()(request.path, true);
    return scripted().load(request);
  },
};

// @ts-expect-error -- a backend can load
export const incomplete: Backend = { name: 'incomplete' };
