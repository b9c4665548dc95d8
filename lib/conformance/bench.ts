import assert from 'node:assert/strict';
import type { Chunk } from '../generation.js';
import { loadModel } from '../index.js';
import type { Model } from '../model.js';
import type { LoadModelOptions } from '../options/load.js';
import { textOf, tokenIdsOf } from './reading.js';

/**
 * What an answer is like. `short`: at least 5 tokens. `long`: more than 150 tokens, slow enough to be stopped in the
 * middle. `unicode`: with characters of more than one byte.
 */
export type AnswerKind = 'short' | 'long' | 'unicode';

/** A model, and a question to which it gives an answer of the kind. */
export interface ConformanceSetup {
  /** For `loadModel()`; default: none. */
  readonly path?: string;
  /** For `loadModel()`: the backend, and what else its models need. */
  readonly options?: LoadModelOptions;
  /** Answered in the same way each time, with `temperature: 0`. */
  readonly question: string;
}

/** How the suite gets a backend's models. */
export type ConformanceHarness = (kind: AnswerKind) => ConformanceSetup;

/** One promise, and the check that it is kept. */
export interface ConformanceCase {
  /** Unique in the suite. */
  readonly name: string;
  /**
   * Loads what it needs, checks, and frees it, so that cases run in any order and one by one.
   *
   * @throws an AssertionError of `node:assert`, or what the backend threw.
   */
  readonly run: () => Promise<void>;
}

interface Loaded {
  readonly model: Model;
  readonly question: string;
}

/** A model to be checked, and the answer that it gives when nobody interferes. */
export interface Subject extends Loaded {
  readonly chunks: readonly Chunk[];
  readonly text: string;
  readonly tokenIds: readonly number[];
}

type Checks<Args extends unknown[]> = Readonly<Record<string, (...args: Args) => void | Promise<void>>>;

/** Where models are loaded and looked at. */
export class Bench {
  readonly #harness: ConformanceHarness;
  readonly #answers = new Map<AnswerKind, Promise<readonly Chunk[]>>();

  constructor(harness: ConformanceHarness) {
    this.#harness = harness;
  }

  /** Loads a model that answers the same each time. */
  async load(kind: AnswerKind, options: LoadModelOptions = {}): Promise<Loaded> {
    const { path, options: own, question } = this.#harness(kind);
    return { model: await loadModel(path, { temperature: 0, ...own, ...options }), question };
  }

  /** Cases on a model of their own each, which is as good as new after them. */
  group(title: string, kind: AnswerKind, checks: Checks<[Subject]>): ConformanceCase[] {
    const check = async (subject: Subject, holds: Checks<[Subject]>[string]): Promise<void> => {
      await holds(subject);
      const { state, pending } = subject.model;
      assert.deepEqual({ state, pending }, { state: 'ready', pending: 0 });
    };
    return cases(title, checks, async (holds) => {
      const chunks = await this.#answer(kind);
      const loaded = await this.load(kind);
      try {
        await check({ ...loaded, chunks, text: textOf(chunks), tokenIds: tokenIdsOf(chunks) }, holds);
      } finally {
        await loaded.model.dispose({ abort: true });
      }
    });
  }

  /** Cases that load for themselves. */
  loose(title: string, checks: Checks<[]>): ConformanceCase[] {
    return cases(title, checks, async (holds) => holds());
  }

  #answer(kind: AnswerKind): Promise<readonly Chunk[]> {
    const known = this.#answers.get(kind) ?? this.#ask(kind);
    this.#answers.set(kind, known);
    return known;
  }

  async #ask(kind: AnswerKind): Promise<readonly Chunk[]> {
    const { model, question } = await this.load(kind);
    try {
      const chunks: Chunk[] = [];
      for await (const chunk of model.generate(question)) chunks.push(chunk);
      return chunks;
    } finally {
      await model.dispose({ abort: true });
    }
  }
}

function cases<Args extends unknown[]>(
  title: string,
  checks: Checks<Args>,
  run: (holds: Checks<Args>[string]) => Promise<void>,
): ConformanceCase[] {
  return Object.entries(checks).map(([name, holds]) => ({ name: `${title}: ${name}`, run: () => run(holds) }));
}
