import type { BackendModel, RunEnd, RunRequest } from './backends/backend.js';
import type { CacheDirectory } from './cache-directory.js';
import { noRuntimeTools, type RuntimeTools } from './chat/tools/runtime-tools.js';
import { LoadedPromptCache, type CacheFile } from './prompt-cache/loaded.js';
import { TurnCache } from './turn-cache.js';

/**
 * What the KV cache of the vendor's runtime holds. `nothing`; the last prompt and its answer, computed with this adapter;
 * what the `caller` has set up by hand (a history, a paused generation), which is not touched unasked; or what is
 * `unknown`, which nothing may be built on.
 */
type Contents = 'nothing' | { readonly lora: string | undefined } | 'caller' | 'unknown';

/** What a call of `model.runtime` does to the KV cache. */
export type KvEffect =
  'none' | 'clears' | 'arranges' | 'spoils' | 'sets-tools' | 'loads-adapter' | 'loads-cache' | 'releases-cache';

/**
 * The one place that knows what is in the KV cache of a model. From 1.2.0 on the runtime compares each prompt with the
 * tokens that it computed last and goes on from where they differ. That is sound by itself as long as those tokens were
 * computed as the prompt's would be: this has the cache emptied where they were not, or where nobody can say.
 */
export class KvOwner {
  readonly #model: BackendModel;
  readonly #isKept: boolean;
  readonly #turns: TurnCache | undefined;
  #contents: Contents = 'nothing';
  /** Those that a request has set; undefined: nobody knows. What the caller has set by hand is none of ours. */
  #tools: string | undefined = noRuntimeTools.tools;
  /** The runtime compares prompts with it as well. Absent: the engine has no such thing. */
  readonly #promptCache: LoadedPromptCache | undefined;

  /** @param directory - for what an engine that keeps nothing itself has computed of conversations; absent: none of it. */
  constructor(model: BackendModel, directory: CacheDirectory | undefined) {
    this.#model = model;
    if (model.runtime !== undefined) this.#promptCache = new LoadedPromptCache(model.runtime);
    if (directory !== undefined && this.#promptCache !== undefined) {
      this.#turns = new TurnCache(this.#promptCache, directory);
    }
    // Other engines compare by themselves what they have computed, with nothing beside it.
    this.#isKept = model.capabilities.kvReuse && model.runtime !== undefined;
  }

  /** The vendor's runtime holds nothing: it computes the next prompt, and counts it, from the first token on. */
  get isEmpty(): boolean {
    return this.#isKept && this.#contents === 'nothing' && this.#promptCache?.isEmpty === true;
  }

  /**
   * Makes the cache fit for a request, before it is started.
   *
   * @param isConversation - the request has all of a conversation, so nothing may stand before it.
   * @param tools - what the runtime's own template is to show the model.
   * @returns undefined when there is nothing to wait for.
   */
  prepare(request: RunRequest, isConversation: boolean, tools = noRuntimeTools): Promise<void> | undefined {
    if (tools.tools === this.#tools) return this.#prepareCache(request, isConversation);
    return this.#setTools(tools).then(() => this.#prepareCache(request, isConversation));
  }

  #prepareCache(request: RunRequest, isConversation: boolean): Promise<void> | undefined {
    const lora = request.npu?.lora;
    if (this.#turns !== undefined) return this.#turns.prepare(lora, isConversation);
    const releasing = this.#promptCache?.releaseOthers(lora);
    if (!this.#isKept || !this.#misleads(request, isConversation)) return releasing;
    return releasing === undefined ? this.#clear() : releasing.then(() => this.#clear());
  }

  /**
   * Has the runtime read what was computed of a prompt, after {@link prepare} for that prompt.
   *
   * @returns false when it does not take the file.
   */
  async load(file: CacheFile): Promise<boolean> {
    if ((await this.#promptCache?.load(file)) !== true) return false;
    this.#turns?.adopt(file);
    if (this.#contents !== 'caller') this.#contents = { lora: file.lora };
    return true;
  }

  /** The request as it is started. */
  toStart(request: RunRequest, isConversation: boolean): RunRequest {
    if (this.#turns === undefined || !isConversation || request.npu?.savePromptCache !== undefined) return request;
    return { ...request, npu: { ...request.npu, savePromptCache: this.#turns.nextFile() } };
  }

  /**
   * A request has been started.
   *
   * @param request - as {@link toStart} gave it.
   * @returns to be told how it ended: undefined for a failure.
   */
  started({ npu, media }: RunRequest): (end: RunEnd | undefined, hasTokens: boolean) => void {
    const { lora, keepHistory = false, stopBy = 'abort', savePromptCache } = npu ?? {};
    const wasArranged = this.#contents === 'caller';
    this.#spoil();
    return (end, hasTokens) => {
      const paused = stopBy === 'pause' && (end?.reason === 'length' || end?.reason === 'aborted');
      // An answer is stopped between two tokens. A prefill that was stopped may have left a part of itself.
      const isWhole = end !== undefined && (hasTokens || end.reason !== 'aborted');
      if (!isWhole) this.#turns?.forget();
      else if (savePromptCache !== undefined) this.#turns?.saved(savePromptCache, lora);
      if (wasArranged || (isWhole && (keepHistory || paused))) this.#contents = 'caller';
      // The runtime sees the same placeholders for every image.
      else if (isWhole && media === undefined) this.#contents = { lora };
    };
  }

  /** The model has been asked something that is no request. */
  warmedUp(): void {
    this.#contents = { lora: undefined };
  }

  /** A call of `model.runtime` is about to be made. */
  touched(effect: KvEffect): void {
    if (effect === 'loads-cache') this.#promptCache?.replaced('caller');
    if (effect === 'releases-cache') this.#promptCache?.replaced('none');
    if (effect === 'sets-tools') this.#tools = noRuntimeTools.tools;
    if (effect === 'loads-adapter') this.#forgetFiles();
    if (effect === 'clears') this.#contents = 'nothing';
    else if (effect === 'arranges') this.#contents = 'caller';
    else if (effect === 'spoils' || effect === 'sets-tools' || effect === 'loads-adapter') this.#spoil();
  }

  /** It may have the name of one that has computed them. */
  #forgetFiles(): void {
    this.#turns?.forget();
    this.#promptCache?.forget();
  }

  #misleads({ npu }: RunRequest, isConversation: boolean): boolean {
    if (this.#contents === 'nothing') return false;
    if (this.#contents === 'caller') return isConversation;
    return this.#contents === 'unknown' || this.#contents.lora !== npu?.lora;
  }

  /** They are part of what the runtime computes of a prompt. */
  async #setTools(tools: RuntimeTools): Promise<void> {
    this.#spoil();
    this.#tools = undefined;
    await this.#model.runtime?.setFunctionTools(tools);
    this.#tools = tools.tools;
  }

  async #clear(): Promise<void> {
    await this.#model.runtime?.clearKvCache();
    this.#contents = 'nothing';
  }

  /** What the caller has set up is the caller's to clear. */
  #spoil(): void {
    if (this.#contents !== 'caller') this.#contents = 'unknown';
  }
}
