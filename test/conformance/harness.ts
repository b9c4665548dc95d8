import { loadModel, type Chunk, type LoadModelOptions, type Model } from 'rkllm';
import { textOf, tokenIdsOf } from '../support/reading.js';

/**
 * What an answer is like. `short`: at least 5 tokens. `long`: more than 150 tokens, slow enough to be stopped in the
 * middle. `unicode`: with characters of more than one byte.
 */
export type AnswerKind = 'short' | 'long' | 'unicode';

/** A model, and a question to which it gives an answer of the kind. */
interface Setup {
  readonly path?: string;
  readonly options?: LoadModelOptions;
  readonly question: string;
}

/** How the suite gets a backend's models. */
export type Harness = (kind: AnswerKind) => Setup;

export interface Subject {
  readonly model: Model;
  readonly question: string;
}

/** Loads a model that answers the same each time. */
export async function load(harness: Harness, kind: AnswerKind, options: LoadModelOptions = {}): Promise<Subject> {
  const { path, options: own, question } = harness(kind);
  return { model: await loadModel(path, { temperature: 0, ...own, ...options }), question };
}

/** A model for the tests of one `describe`, and the answer that it gives when nobody interferes. */
export class Shared {
  #subject: Subject | undefined;
  #answer: readonly Chunk[] = [];

  constructor(harness: Harness, kind: AnswerKind) {
    beforeAll(async () => {
      this.#subject = await load(harness, kind);
      for await (const chunk of this.model.generate(this.question)) this.#answer = [...this.#answer, chunk];
    });
    afterEach(() => expect(this.model).toMatchObject({ state: 'ready', pending: 0 }));
    afterAll(() => this.#subject?.model.dispose({ abort: true }));
  }

  get model(): Model {
    return this.#loaded.model;
  }

  get question(): string {
    return this.#loaded.question;
  }

  get chunks(): readonly Chunk[] {
    return this.#answer;
  }

  get text(): string {
    return textOf(this.#answer);
  }

  get tokenIds(): readonly number[] {
    return tokenIdsOf(this.#answer);
  }

  get #loaded(): Subject {
    if (this.#subject === undefined) throw new Error('The model is not loaded yet.');
    return this.#subject;
  }
}
