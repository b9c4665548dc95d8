import type { OptionsOf, OptionTable } from './table.js';

/** How the next token is chosen. */
export const samplingTable = {
  /**
   * Randomness: the logits are divided by it. `0` always takes the most likely token (greedy), on every backend.
   * From 0 to 5; default: the model's own, else 0.8.
   */
  temperature: {
    kind: 'number',
    min: 0,
    max: 5,
    defaultsTo: "the model's own, else 0.8",
    runtimeField: 'temperature',
  },
  /** Only the `topK` most likely tokens are candidates. An integer from 1; default: the model's own, else 40. */
  topK: { kind: 'integer', min: 1, max: 1_000_000, defaultsTo: "the model's own, else 40", runtimeField: 'top_k' },
  /**
   * Only the most likely tokens whose probabilities add up to `topP` are candidates. Above 0, at most 1; default: the
   * model's own, else 0.9.
   */
  topP: {
    kind: 'number',
    min: 0,
    max: 1,
    aboveMin: true,
    defaultsTo: "the model's own, else 0.9",
    runtimeField: 'top_p',
  },
  /** Makes tokens that already occurred less likely. Above 0, at most 10, 1 is off; default: the model's own, else 1. */
  repeatPenalty: {
    kind: 'number',
    min: 0,
    max: 10,
    aboveMin: true,
    defaultsTo: "the model's own, else 1",
    runtimeField: 'repeat_penalty',
  },
  /** Lowers a token's logit by this much for each time it was generated. From -2 to 2; default 0. */
  frequencyPenalty: { kind: 'number', min: -2, max: 2, defaultsTo: '0', runtimeField: 'frequency_penalty' },
  /** Lowers a token's logit by this much once it was generated. From -2 to 2; default 0. */
  presencePenalty: { kind: 'number', min: -2, max: 2, defaultsTo: '0', runtimeField: 'presence_penalty' },
  /**
   * Makes sampling repeatable: the same seed, prompt and options give the same answer. An integer from 0 to 2³²-1;
   * default: a new one for each generation. Only where `model.capabilities.seed`.
   */
  seed: { kind: 'integer', min: 0, max: 2 ** 32 - 1, defaultsTo: 'a random one for each generation' },
} as const satisfies OptionTable;

/** Options that decide how the next token is chosen. */
export interface SamplingOptions extends OptionsOf<typeof samplingTable> {}
