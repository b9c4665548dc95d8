import type { OptionsOf, OptionTable } from './table.js';

/** Files in which what `chat.warm()` has computed is found again by later processes. */
export const promptCacheFilesTable = {
  /**
   * Where they are. It is made where it is missing, for this user alone; several processes and models may share it. It must be
   * given.
   */
  directory: { kind: 'string', defaultsTo: 'none: it must be given' },
  /**
   * How much they may take, in bytes: when one is written, those that were not used for longest are removed until the others
   * fit. The newest stays in any case. An integer from 1; default 2 GiB.
   */
  maxBytes: { kind: 'integer', min: 1, max: Number.MAX_SAFE_INTEGER, unit: 'bytes', defaultsTo: '2147483648 (2 GiB)' },
} as const satisfies OptionTable;

/** Files in which what `chat.warm()` has computed is found again by later processes. */
export interface PromptCacheFilesOptions extends OptionsOf<typeof promptCacheFilesTable> {}
