import { types } from 'node:util';
import { RkllmError } from '../../errors.js';
import { describe } from '../../options/describe.js';
import { isTokenId } from '../../options/shapes.js';
import type { Embedder, Tokenizer } from '../model-parts.js';
import type { AskedEvent } from './addon.js';
import type { Driver } from './driver.js';

/** The caller's functions, as far as there are any. */
interface Functions {
  readonly tokenizer?: Tokenizer;
  readonly embedder?: Embedder;
}

type Values = Int32Array | Float32Array;

/** Answers what the runtime asks in the middle of a call. The runtime waits until then. */
export class Answers {
  readonly #driver: Pick<Driver, 'answer'>;
  readonly #functions: Functions;
  #failure: RkllmError | undefined;

  constructor(driver: Pick<Driver, 'answer'>, functions: Functions) {
    this.#driver = driver;
    this.#functions = functions;
  }

  /**
   * Calls the function that knows, and hands on what it gives. What it throws is the failure of the native call. Never
   * rejects, and always ends with an answer or a refusal: the runtime would wait for ever.
   */
  async give(event: AskedEvent): Promise<void> {
    const { tokenizer, embedder } = this.#functions;
    let given: unknown;
    try {
      given = await ('text' in event ? tokenizer?.(event.text, event.maxTokens) : embedder?.(event.tokenIds));
    } catch (cause) {
      this.#refuse(event, () => `threw ${thrown(cause)}`, { cause });
      return;
    }
    try {
      const values = 'text' in event ? toTokenIds(given) : toFloats(given);
      const hasRoom = 'text' in event ? within(event.maxTokens, values) : values?.length === event.floats;
      if (values === undefined || !hasRoom) this.#refuse(event, () => `returned ${foundIn(event, given, values)}`);
      else this.#driver.answer(event.question, values);
    } catch (cause) {
      this.#refuse(event, () => `returned what cannot be read: reading it threw ${thrown(cause)}`, { cause });
    }
  }

  /** Why the native call that ends now has failed, if a function of the caller is to blame. There is one at a time. */
  takeFailure(): RkllmError | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /** First the runtime is let go: describing what a function gave may run the caller's code. */
  #refuse(event: AskedEvent, found: () => string, init?: { readonly cause: unknown }): void {
    if (!this.#driver.answer(event.question, undefined)) return; // nobody waits for it any more
    const name = 'text' in event ? 'tokenizer' : 'embedder';
    const what = describable(found) ?? 'gave something that throws when it is described';
    this.#failure ??= new RkllmError('RKLLM_RUN_FAILED', `The function ${name} given to loadModel() ${what}.`, {
      hint:
        'text' in event
          ? 'It has to return token ids of the model for the text, as an array or an Int32Array, or a promise of them.'
          : 'It has to return a Float32Array with one row for each token, each as long as the model is wide, or a promise of it.',
      details: { function: name },
      ...init,
    });
  }
}

/** `undefined` when it throws: getters and proxies of the caller may run. */
function describable(found: () => string): string | undefined {
  try {
    return found();
  } catch {
    return undefined;
  }
}

function thrown(cause: unknown): string {
  return types.isNativeError(cause) ? `an error: ${cause.message}` : describe(cause);
}

function within(most: number, values: Values | undefined): boolean {
  return values !== undefined && values.length <= most;
}

function toTokenIds(given: unknown): Int32Array | undefined {
  if (!Array.isArray(given) && !types.isInt32Array(given)) return undefined;
  const ids = Array.from<unknown>(given); // also the holes of a sparse array
  return ids.every(isTokenId) ? Int32Array.from(ids) : undefined;
}

function toFloats(given: unknown): Float32Array | undefined {
  return types.isFloat32Array(given) ? given : undefined;
}

/** What is wrong with what a function returned. */
function foundIn(event: AskedEvent, given: unknown, values: Values | undefined): string {
  if (values !== undefined) {
    return 'text' in event
      ? `${values.length} token ids where the runtime takes at most ${event.maxTokens}`
      : `${values.length} floats for ${event.tokenIds.length} tokens where the runtime wants ${event.floats}`;
  }
  if (!('text' in event) || !(Array.isArray(given) || types.isInt32Array(given))) return describe(given);
  return `${describe(Array.from<unknown>(given).find((id) => !isTokenId(id)))} among the token ids`;
}
