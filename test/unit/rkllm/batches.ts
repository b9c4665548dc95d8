import {
  loadModel,
  type BatchAnswer,
  type LoadModelOptions,
  type Model,
  type ModelRuntime,
  type RuntimeInput,
} from 'rkllm';
import { fakeRuntime, isolation, type FakeModel, type Release } from './fake-model.js';

const open: Model[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.dispose({ abort: true })));
});

interface Loaded {
  readonly model: Model;
  readonly runtime: ModelRuntime;
}

/** Through the public API. Strings go to the model as they are. */
export async function load(release: Release, fake: FakeModel, options: LoadModelOptions = {}): Promise<Loaded> {
  const choices = { backend: 'rkllm', runtimePath: fakeRuntime(release), template: 'none', isolation } as const;
  const model = await loadModel(fake.path, { ...choices, ...options });
  open.push(model);
  if (model.runtime === undefined) throw new Error('It has no runtime.');
  return { model, runtime: model.runtime };
}

/** `p0`, `p1` and so on. */
export const prompts = (count: number): RuntimeInput[] =>
  Array.from({ length: count }, (_, row) => ({ prompt: `p${row.toString()}` }));
export const textsOf = (answers: readonly BatchAnswer[]): string[] => answers.map(({ text }) => text);
export const reasonsOf = (answers: readonly BatchAnswer[]): string[] => answers.map(({ finishReason }) => finishReason);

/** What a listener has been told of each row. */
export class Heard {
  readonly pieces: { row: number; text: string; tokenIds: readonly number[] }[] = [];
  readonly onText = (row: number, text: string, tokenIds: readonly number[]): void => {
    this.pieces.push({ row, text, tokenIds });
  };

  text(row: number): string {
    return this.#of(row)
      .map(({ text }) => text)
      .join('');
  }

  tokenIds(row: number): number[] {
    return this.#of(row).flatMap(({ tokenIds }) => tokenIds);
  }

  #of(row: number): Heard['pieces'] {
    return this.pieces.filter((piece) => piece.row === row);
  }
}
