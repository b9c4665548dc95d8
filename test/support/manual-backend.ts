import type {
  Backend,
  BackendModel,
  BackendModelInfo,
  Capabilities,
  LoadRequest,
  Run,
  RunEnd,
  RunRequest,
  TokenBatch,
} from 'rkllm';

/** A run's end of which only the reason is known. */
export function endOf(reason: RunEnd['reason'], figures: Partial<RunEnd> = {}): RunEnd {
  return {
    reason,
    promptTokens: undefined,
    cachedPromptTokens: undefined,
    prefillMs: undefined,
    decodeMs: undefined,
    peakMemoryMb: undefined,
    ...figures,
  };
}

/** Packs tokens as a backend does; ids count from `firstId`. */
export function batchOf(tokens: readonly (string | Uint8Array)[], firstId = 1): TokenBatch {
  const encoded = tokens.map((token) => (typeof token === 'string' ? new TextEncoder().encode(token) : token));
  let end = 0;
  return {
    bytes: Buffer.concat(encoded),
    tokenIds: Int32Array.from(tokens, (_, index) => firstId + index),
    ends: Uint32Array.from(encoded, ({ length }) => (end += length)),
  };
}

/** A run that does what the test says, when the test says it. */
export class ManualRun implements Run {
  readonly ended: Promise<RunEnd>;
  /** How often it was asked to stop. */
  aborts = 0;
  readonly request: RunRequest;
  readonly #endsOnAbort: boolean;
  #batches: TokenBatch[] = [];
  #nextId = 1;
  #wake: () => void = () => undefined;
  #over = false;
  #settle!: { resolve: (end: RunEnd) => void; reject: (error: unknown) => void };

  constructor(request: RunRequest, endsOnAbort: boolean) {
    this.request = request;
    this.#endsOnAbort = endsOnAbort;
    this.ended = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.ended.catch(() => undefined);
  }

  /** The engine produces these tokens, in one batch. */
  write(...tokens: (string | Uint8Array)[]): void {
    this.writeAll(tokens);
  }

  writeAll(tokens: readonly (string | Uint8Array)[]): void {
    this.#batches.push(batchOf(tokens, this.#nextId));
    this.#nextId += tokens.length;
    this.#wake();
  }

  end(reason: RunEnd['reason'] = 'eos', figures: Partial<RunEnd> = {}): void {
    this.#settle.resolve(endOf(reason, figures));
    this.#finish();
  }

  fail(error: unknown): void {
    this.#settle.reject(error);
    this.#finish();
  }

  drain(): TokenBatch | undefined {
    return this.#batches.shift();
  }

  readable(): Promise<void> {
    if (this.#batches.length > 0 || this.#over) return Promise.resolve();
    return new Promise((resolve) => (this.#wake = resolve));
  }

  abort(): void {
    this.aborts++;
    if (this.#endsOnAbort) this.end('aborted');
  }

  #finish(): void {
    this.#over = true;
    this.#wake();
  }
}

export interface ManualChoices {
  /** Whether `abort()` ends a run at once; otherwise only the test ends it. Default true. */
  readonly endsOnAbort?: boolean;
  readonly capabilities?: Partial<Capabilities>;
  readonly info?: Partial<BackendModelInfo>;
  /** Whether it may be loaded again after it has died. */
  readonly recoverable?: boolean;
  /** Called inside `start()`, before there is a run. */
  readonly onStart?: () => void;
}

/** A backend that is driven by hand: each run is in {@link ManualBackend.runs}. */
export class ManualBackend implements Backend {
  readonly name = 'manual';
  readonly runs: ManualRun[] = [];
  readonly loads: LoadRequest[] = [];
  disposals = 0;
  /** Ends the model as a crash of its worker does. */
  die: (error: unknown) => void = () => undefined;
  /** Called when a model is freed; what it throws, `dispose()` rejects with. */
  onDispose: () => void = () => undefined;
  readonly #choices: ManualChoices;

  constructor(choices: ManualChoices = {}) {
    this.#choices = choices;
  }

  load(request: LoadRequest): Promise<BackendModel> {
    const { capabilities, info, onStart, recoverable = false, endsOnAbort = true } = this.#choices;
    this.loads.push(request);
    return Promise.resolve({
      info: {
        name: 'manual-phi3',
        contextLength: 4096,
        quantization: undefined,
        chatTemplate: undefined,
        bosToken: undefined,
        eosToken: undefined,
        runtime: undefined,
        ...info,
      },
      capabilities: {
        perRequestSampling: true,
        seed: true,
        kvReuse: false,
        tokenInput: true,
        slots: 1,
        ...capabilities,
      },
      start: (runRequest) => {
        onStart?.();
        const run = new ManualRun(runRequest, endsOnAbort);
        this.runs.push(run);
        return run;
      },
      failed: new Promise<never>((_, reject) => (this.die = reject)),
      recoverable,
      dispose: async () => {
        this.disposals++;
        await Promise.resolve();
        this.onDispose();
      },
    });
  }

  /** The run that was started last. */
  get run(): ManualRun {
    const run = this.runs.at(-1);
    if (run === undefined) throw new Error('No run has been started.');
    return run;
  }
}
