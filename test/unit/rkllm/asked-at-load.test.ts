/** A runtime that asks for tokens while it loads. */
import { failureOf } from '../../support/reading.js';
import { askingReleases, later, lengths, load } from './asking-model.js';
import { FakeModel, isolation, until } from './fake-model.js';

const boom = new RangeError('boom');

describe.each(askingReleases)('%s', (release) => {
  test('is answered, and loads', async () => {
    const fake = new FakeModel('details', 'ask-at-init', 'token a');
    const model = await load(fake, release, { tokenizer: later(lengths) });
    expect(fake.journal).toContain('tokenized "</s>" to 1');
    expect((await model.generate('hi')).text).toBe('a');
  });

  test.each([
    ['reports it', []],
    ['goes on all the same', ['unanswered-ignored']],
  ])('a tokenizer that fails is the failure of the load with a runtime that %s', async (_, behaviour) => {
    const fake = new FakeModel('ask-at-init', ...behaviour);
    const failure = await failureOf(() => load(fake, release, { tokenizer: () => Promise.reject(boom) }));
    expect(failure).toMatchObject({
      code: 'RKLLM_RUN_FAILED',
      message: expect.stringMatching(/tokenizer .*boom/u) as string,
      cause: boom,
    });
    const count = (call: string): number => fake.calls.filter((line) => line === call).length;
    expect(count('destroy')).toBe(behaviour.length); // a failed load leaves no handle
  });

  test('an abort ends the load while the tokenizer does not answer, and the late answer is ignored', async () => {
    const fake = new FakeModel('ask-at-init');
    const controller = new AbortController();
    let answer: ((tokenIds: number[]) => void) | undefined;
    const tokenizer = (): Promise<number[]> => new Promise((resolve) => (answer = resolve));
    const loading = failureOf(() => load(fake, release, { tokenizer, signal: controller.signal }));
    await until(() => answer !== undefined);
    controller.abort(boom);
    expect(await loading).toBe(boom);
    expect(fake.calls).toEqual(['init']);
    answer?.([1]);
    expect((await (await load(new FakeModel('token a'), release, {})).generate('hi')).text).toBe('a');
  });

  test('the load may take as long as the tokenizer does', async () => {
    const slow = async (text: string): Promise<readonly number[]> => {
      await new Promise((resolve) => setTimeout(resolve, 2500));
      return [text.length];
    };
    const fake = new FakeModel('ask-at-init', 'token a');
    const model = await load(fake, release, { tokenizer: slow, loadTimeoutMs: 2000 });
    expect(model.state).toBe('ready');
  });

  test('an abort by the tokenizer itself ends the load', async () => {
    const fake = new FakeModel('ask-at-init', 'unanswered-ignored');
    const controller = new AbortController();
    const tokenizer = (): number[] => {
      controller.abort(boom);
      return [1];
    };
    expect(await failureOf(() => load(fake, release, { tokenizer, signal: controller.signal }))).toBe(boom);
    // A process of its own ends with the load.
    expect(fake.calls.at(-1)).toBe(isolation === 'none' ? 'destroy' : 'init');
  });
});
