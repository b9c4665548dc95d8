import fc from 'fast-check';
import { isRkllmError, loadModel, type GenerateInput, type GenerateOptions, type Model } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { checkOptions } from '../../lib/options/check.js';
import { generateTable } from '../../lib/options/generate.js';
import { loadTable } from '../../lib/options/load.js';

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
});

function optionsFor(table: object): fc.Arbitrary<unknown> {
  const name = fc.oneof(fc.constantFrom(...Object.keys(table)), fc.string());
  const value = fc.oneof(
    anything,
    fc.array(fc.string()),
    fc.integer(),
    fc.double(),
    fc.constantFrom('throw', 'return'),
  );
  return fc.oneof({ weight: 4, arbitrary: fc.dictionary(name, value, { maxKeys: 4 }) }, anything);
}

/** Runs `action`; only an RkllmError may come out of it. */
function orRkllmError<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (isRkllmError(error) && error.hint !== '') return undefined;
    throw error;
  }
}

test.each([
  ['loadModel()', loadTable],
  ['generate()', generateTable],
])('whatever the options of %s are: accepted, or an RkllmError', (owner, table) => {
  fc.assert(
    fc.property(optionsFor(table), (options) => {
      const checked = orRkllmError(() => checkOptions(owner, table, options));
      expect(checked === undefined || typeof checked === 'object').toBe(true);
    }),
    { numRuns: 500 },
  );
});

describe('a model that is asked anything', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(undefined, { backend: scripted({ reply: 'a b c' }) });
  });
  afterAll(() => model.dispose());

  const message = fc.oneof(
    fc.record({ role: fc.constantFrom('system', 'user', 'assistant'), content: fc.string() }),
    anything,
  );
  const input = fc.oneof(
    fc.string(),
    fc.array(message, { maxLength: 3 }),
    fc.record({ prompt: anything }),
    fc.record({ tokenIds: fc.oneof(anything, fc.array(fc.integer())) }),
    anything,
  );

  test('answers or throws an RkllmError', async () => {
    await fc.assert(
      fc.asyncProperty(input, fc.option(optionsFor(generateTable), { nil: undefined }), async (asked, options) => {
        const generation = orRkllmError(() => model.generate(asked as GenerateInput, options as GenerateOptions));
        if (generation === undefined) return;
        const { text, usage } = await generation;
        expect('a b c'.startsWith(text)).toBe(true);
        expect(usage.outputTokens).toBeLessThanOrEqual(3);
      }),
      { numRuns: 300 },
    );
    expect(model).toMatchObject({ state: 'ready', pending: 0 });
  });
});
