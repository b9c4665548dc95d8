import { availableParallelism } from 'node:os';
import { RkllmError } from '../../errors.js';
import type { ComputedOutput, ResolvedSampling, RunEnd, RunInput, RunRequest, TokenBatch } from '../backend.js';
import type { BackendModelInfo } from '../model-info.js';
import type { Matrix } from '../runtime-controls.js';
import type { BusyGuard } from './busy-guard.js';
import { computeAll } from './compute.js';
import { decode } from './decode-loop.js';
import { Decoder } from './decoder.js';
import { Detokenizer } from './detokenizer.js';
import { freeMemory } from './free-memory.js';
import { JsonConstraints } from './json-constraints.js';
import { readLayout, type ModelLayout } from './layout.js';
import type { EngineInit } from './protocol.js';
import { Sampler } from './sampler.js';
import { resolveSampling } from './sampling-settings.js';
import { AdaptiveChunks, fixedChunks, largestChunk, type PrefillChunks } from './prefill-chunks.js';
import { Pacer } from '../pacer.js';
import { TokenQueue } from './token-queue.js';
import { loadTokenizer, type LoadedTokenizer } from './tokenizer.js';

/** Below this, dividing the work of a token between threads costs more than it gains. */
const smallModelBytes = 50_000_000;
const mostThreads = 4;

/**
 * Tokens of a fast model are sent together, this often; those of a slow one at once. It keeps the cost of crossing
 * threads away from small models, and is far below what a reader notices.
 */
const sendIntervalMs = 2;

/** Far more than a token of text has; white space that control tokens swallow is not counted exactly. */
const charactersOfLongToken = 64;

/** Whatever the configuration says: in every model that has them these end a turn or a text. */
const knownEosTokens = [
  ...['<|end|>', '<|endoftext|>', '<|im_end|>', '<|eot_id|>', '<|end_of_text|>', '<end_of_turn>'],
  '<｜end▁of▁sentence｜>',
];

/** A model in the thread or process that computes it. */
export class Engine {
  readonly info: BackendModelInfo;
  readonly #decoder: Decoder;
  readonly #tokenizer: LoadedTokenizer;
  readonly #layout: ModelLayout;
  readonly #eosTokenIds: ReadonlySet<number>;
  readonly #sampling: ResolvedSampling;
  readonly #chunks: PrefillChunks;
  readonly #pacer: Pacer | undefined;
  readonly #constraints: JsonConstraints;

  private constructor(decoder: Decoder, tokenizer: LoadedTokenizer, layout: ModelLayout, init: EngineInit) {
    this.#decoder = decoder;
    this.#tokenizer = tokenizer;
    this.#layout = layout;
    this.#eosTokenIds = new Set([...layout.eosTokenIds, ...tokenizer.idsOf(knownEosTokens)]);
    this.#sampling = init.sampling;
    this.#chunks = prefillChunks(init.prefillChunk, layout.modelBytes);
    this.#pacer = init.pace && new Pacer(init.pace);
    this.#constraints = new JsonConstraints(tokenizer.table, decoder.vocabularySize, this.#eosTokenIds);
    this.info = {
      name: layout.name,
      contextLength: decoder.contextLength,
      quantization: layout.quantization,
      ...tokenizer.chat,
      pace: init.pace,
      runtime: undefined,
    };
  }

  /** Looks at everything that is cheap to check before the model file is loaded. */
  static async load(init: EngineInit, guard: BusyGuard): Promise<Engine> {
    const layout = await readLayout(init.path);
    const tokenizer = await loadTokenizer(layout.directory);
    const contextLength = Math.min(layout.contextLength, init.maxContextLength ?? Infinity);
    const threads = init.threads ?? defaultThreads(layout.modelBytes);
    const decoder = await Decoder.open(layout, contextLength, threads, guard, () => init.freeMemory ?? freeMemory());
    return new Engine(decoder, tokenizer, layout, init);
  }

  /**
   * @param stop - ends the run before the next token or chunk.
   * @param send - takes the tokens of the answer, packed.
   */
  async run(request: RunRequest, stop: AbortSignal, send: (batch: TokenBatch) => void): Promise<RunEnd> {
    const startedAt = performance.now();
    const prompt = this.#promptTokens(request.input);
    const detokenizer = new Detokenizer(this.#tokenizer.table, prompt.at(-1));
    const queue = new TokenQueue();
    let sentAt = -Infinity;
    const flush = (): void => {
      const batch = queue.take();
      if (batch !== undefined) send(batch);
    };
    const limit = Math.min(request.maxNewTokens ?? Infinity, this.info.contextLength - prompt.length);
    const sampler = new Sampler(resolveSampling(this.#layout.search, this.#sampling, request.sampling), prompt);
    const end = await decode(this.#decoder, {
      prompt,
      chooser:
        request.json === undefined
          ? sampler
          : this.#constraints.chooser(request.json, sampler, detokenizer.spacesToStrip, limit),
      eosTokenIds: this.#eosTokenIds,
      limit,
      chunks: this.#chunks,
      startedAt,
      pacer: this.#pacer,
      stop,
      emit: (id) => {
        queue.push(id, detokenizer.next(id));
        const now = performance.now();
        if (now - sentAt < sendIntervalMs) return;
        sentAt = now;
        flush();
      },
    });
    flush();
    return end;
  }

  /** What the graph gives besides tokens. */
  get gives(): readonly ComputedOutput[] {
    return (['hiddenStates', 'logits'] as const).filter((output) => this.#decoder.gives(output));
  }

  /**
   * @returns undefined when it was stopped.
   * @throws RkllmError `RKLLM_UNSUPPORTED_OPTION` for what the graph does not give.
   */
  async compute(output: ComputedOutput, input: RunInput, stop: AbortSignal): Promise<Matrix | undefined> {
    if (!this.#decoder.gives(output)) throw notGiven(output, this.#layout);
    const prompt = this.#promptTokens(input);
    return computeAll(this.#decoder, output, {
      prompt,
      chunks: this.#chunks,
      pacer: this.#pacer,
      stop,
    });
  }

  /** @throws RkllmError `RKLLM_CONTEXT_OVERFLOW` for what is too long to be encoded. */
  countTokens(input: RunInput): number {
    return input.type === 'text' ? this.#encode(input.text).length : input.tokenIds.length;
  }

  #promptTokens(input: RunInput): Int32Array {
    const { contextLength } = this.info;
    const prompt = input.type === 'text' ? this.#encode(input.text) : input.tokenIds;
    if (prompt.length === 0) {
      throw new RkllmError('RKLLM_EMPTY_PROMPT', 'The prompt has no tokens.', {
        hint: 'Pass a prompt with at least one character.',
      });
    }
    if (prompt.length >= contextLength) {
      throw contextOverflow(`${prompt.length} tokens`, { promptTokens: prompt.length, contextLength });
    }
    const { vocabularySize } = this.#decoder;
    const stray = prompt.find((id) => id < 0 || id >= vocabularySize);
    if (stray !== undefined) {
      throw new RkllmError(
        'RKLLM_INVALID_INPUT',
        `The model has no token ${stray}: its ids are 0 to ${vocabularySize - 1}.`,
        {
          hint: "Make the token ids with the model's own tokenizer.",
          details: { tokenId: stray, vocabularySize },
        },
      );
    }
    return prompt;
  }

  /** Encoding cannot be interrupted, and millions of characters take minutes: what cannot fit is not encoded. */
  #encode(text: string): Int32Array {
    const { contextLength } = this.info;
    if (text.length > contextLength * Math.max(this.#tokenizer.table.longestPiece, charactersOfLongToken)) {
      throw contextOverflow(`${text.length} characters`, { promptCharacters: text.length, contextLength });
    }
    return this.#tokenizer.encode(text);
  }
}

interface OverflowDetails {
  readonly contextLength: number;
  readonly promptTokens?: number;
  readonly promptCharacters?: number;
}

function contextOverflow(size: string, details: OverflowDetails): RkllmError {
  return new RkllmError(
    'RKLLM_CONTEXT_OVERFLOW',
    `The prompt has ${size}, but the context of ${details.contextLength} tokens must hold it and the answer.`,
    {
      hint: 'Shorten the prompt or the chat, or load the model with a larger maxContextLength if it allows one.',
      details: { ...details },
    },
  );
}

function defaultThreads(modelBytes: number): number {
  return modelBytes < smallModelBytes ? 1 : Math.min(mostThreads, availableParallelism());
}

/**
 * A small model computes any chunk in no time, and its answers are the same in each run: how a sum is divided shows in its last
 * digits.
 */
function prefillChunks(size: number | undefined, modelBytes: number): PrefillChunks {
  if (size !== undefined) return fixedChunks(size);
  return modelBytes < smallModelBytes ? fixedChunks(largestChunk) : new AdaptiveChunks();
}

function notGiven(output: ComputedOutput, { modelFile, names }: ModelLayout): RkllmError {
  const call = output === 'logits' ? 'logits()' : 'embed()';
  return new RkllmError('RKLLM_UNSUPPORTED_OPTION', `${call}: the graph ${modelFile} has no output ${names[output]}.`, {
    hint: "Export the model with its last hidden layer as an output; onnxruntime-genai's model builder has an option for it.",
    details: { owner: call, path: modelFile, output: names[output] },
  });
}
