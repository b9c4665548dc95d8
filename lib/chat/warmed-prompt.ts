/** What `chat.warm()` has done. */
export interface WarmedPrompt {
  /** The engine has computed it, or read it from a file (see the load option `promptCacheFiles`). */
  readonly source: 'computed' | 'file';
  /** How many tokens were computed; `undefined` where the engine does not tell. */
  readonly computedInputTokens: number | undefined;
  /** It is in a file, where later processes find it. */
  readonly isStored: boolean;
  /** Why a file that was there was not used; `undefined` when there was none, or it was. */
  readonly problem: string | undefined;
}
