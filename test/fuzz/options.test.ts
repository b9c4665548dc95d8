/**
 * 100,000 objects of options, right ones and wrong ones. Which they are is known from how they were made, not from what
 * checks them: right ones come through as they are, wrong ones are an RkllmError and never reach an engine.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { isRkllmError, loadModel, type Backend, type Model } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { chatTable } from '../../lib/options/chat.js';
import { checkOptions } from '../../lib/options/check.js';
import { generateTable } from '../../lib/options/generate.js';
import { loadTable } from '../../lib/options/load.js';
import type { OptionSpec, OptionTable } from '../../lib/options/table.js';
import { tries } from './runs.js';

interface Choice {
  readonly value: unknown;
  readonly isRight: boolean;
}

const right = (value: unknown): Choice => ({ value, isRight: true });
const wrong = (value: unknown): Choice => ({ value, isRight: false });

const { signal } = new AbortController();
const backend = scripted();

/** What the tables say in code rather than in data. */
const shapes: Readonly<Record<string, readonly [right: readonly unknown[], wrong: readonly unknown[]]>> = {
  backend: [
    ['auto', 'onnx', 'rkllm', backend],
    ['cpu', { name: 'x' }, { load: () => undefined }],
  ],
  logger: [[console], [{ info: () => undefined }, () => undefined]],
  signal: [
    [signal, AbortSignal.abort()],
    [new AbortController(), { aborted: false }],
  ],
  stop: [
    [[], ['a'], ['a', '\n\n', '🙂']],
    [[''], 'a', [5], ['a', null], new Array(2)],
  ],
  stopTokenIds: [
    [[], [0], [1, 2147483647]],
    [[-1], [0.5], ['1'], 7, new Array(1), new Int32Array(1)],
  ],
  tokenizer: [
    [() => [1], async () => Promise.resolve([])],
    ['fast', {}],
  ],
  embedder: [[() => new Float32Array(1)], ['fast', {}]],
  onProgress: [[() => undefined], ['loud', {}]],
  template: [
    ['auto', 'none', 'phi3', 'chatml', { jinja: '{{ messages }}' }, { file: 'chat_template.jinja' }],
    ['Phi3', {}, { jinja: 5 }, { file: '' }, { jinja: 'a', file: 'b' }],
  ],
  adapters: [
    [[], [{ name: 'a', path: 'a.rkllm', scale: 2 }]],
    [['a'], [{ name: 'a' }], { name: 'a', path: 'b' }],
  ],
  tools: [[[]], ['weather', {}]],
  schema: [
    [true, {}, { type: 'object' }],
    ['object', [], 5],
  ],
  from: [
    [{}, { format: 'rkllm-chat', version: 1, messages: [] }],
    ['{}', []],
  ],
  onContextFull: [
    ['error', 'drop-oldest-turns', () => []],
    ['drop', {}],
  ],
  runtimeEnv: [
    [{}, { RKLLM_LOG_LEVEL: '2' }],
    [[], 'A=1', { A: 1 }, { 'A=B': '' }, { A: '\0' }],
  ],
  cpus: [
    [[0], [4, 5, 6, 7]],
    [[], [8], [1, 1], ['4'], new Array(1)],
  ],
};

const nothing = fc.constantFrom<unknown[]>(null, NaN, '', Symbol('x'), 5n, Infinity, new Map(), new Date(0));

function values(name: string, spec: OptionSpec): fc.Arbitrary<Choice> {
  const choices = (): fc.Arbitrary<Choice>[] => {
    switch (spec.kind) {
      case 'integer':
        return [
          fc.integer({ min: spec.min, max: spec.max }).map(right),
          fc
            .integer({ min: spec.max + 1 - 2 ** 40, max: spec.max + 2 ** 40 })
            .filter((n) => n < spec.min || n > spec.max)
            .map(wrong),
          fc.constant(spec.min + 0.5).map(wrong),
          fc.integer().map((n) => wrong(String(n))),
        ];
      case 'number':
        return [
          fc.double({ min: spec.min, max: spec.max, minExcluded: spec.aboveMin === true, noNaN: true }).map(right),
          fc.double({ min: spec.max, minExcluded: true, noNaN: true }).map(wrong),
          // -0 is 0, which fast-check takes for less.
          fc
            .double({ max: spec.min, maxExcluded: spec.aboveMin !== true, noNaN: true })
            .filter((n) => spec.aboveMin === true || n < spec.min)
            .map(wrong),
        ];
      case 'string':
        return [fc.string({ minLength: 1 }).map(right), fc.integer().map(wrong), fc.array(fc.string()).map(wrong)];
      case 'choice':
        return [fc.constantFrom(...spec.values).map(right), fc.constantFrom('', 'nope', 'AUTO', 0, true).map(wrong)];
      case 'flag':
        return [fc.boolean().map(right), fc.constantFrom('true', 0, 1, 'false').map(wrong)];
      case 'shape': {
        const [good = [], bad = []] = shapes[name] ?? [];
        const never = [...bad, 5, true].filter((value) => !good.includes(value));
        return [fc.constantFrom(...good).map(right), fc.constantFrom(...never).map(wrong)];
      }
      case 'group':
        return [objects(spec.table), fc.constantFrom('x', 5, true, []).map(wrong)];
    }
  };
  const [good = nothing.map(wrong), ...bad] = choices();
  return fc.oneof(
    { weight: 20, arbitrary: good },
    { weight: 1, arbitrary: fc.constant(right(undefined)) },
    { weight: 1, arbitrary: nothing.map(wrong) },
    ...bad.map((arbitrary) => ({ weight: 1, arbitrary })),
  );
}

/** Objects for a table: which of them have a wrong value or name is known. */
function objects(table: OptionTable): fc.Arbitrary<Choice> {
  const known = Object.entries(table).map(([name, spec]) =>
    values(name, spec).map((choice) => [name, choice] as const),
  );
  const misspelt = fc
    .oneof(
      fc.constantFrom(...Object.keys(table), '__proto__', 'constructor').map((name) => `${name}s`),
      fc.string(),
    )
    .filter((name) => !Object.hasOwn(table, name) && name !== '__proto__')
    .map((name) => [name, wrong(5)] as const);
  const entry = fc.oneof(...known.map((arbitrary) => ({ weight: 2, arbitrary })), { weight: 1, arbitrary: misspelt });
  return fc.uniqueArray(entry, { maxLength: 4, selector: ([name]) => name }).map((entries) => ({
    value: Object.fromEntries(entries.map(([name, { value }]) => [name, value])),
    isRight: entries.every(([, { isRight }]) => isRight),
  }));
}

/** The code of the RkllmError that comes of it; undefined when nothing is thrown. */
async function refusal(action: () => unknown): Promise<string | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (!isRkllmError(error) || error.hint === '') throw error;
    return error.code;
  }
}

const withoutUndefined = (options: object): object =>
  Object.fromEntries(
    Object.entries(options)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]: [string, unknown]) => [
        name,
        Object.getPrototypeOf(value) === Object.prototype ? withoutUndefined(value as object) : value,
      ]),
  );

let model: Model;
let touched = 0;
const spy: Backend = {
  name: 'spy',
  load: () => {
    touched++;
    return Promise.reject(new Error('loaded'));
  },
};

beforeAll(async () => {
  model = await loadModel(undefined, { backend: scripted({ onRun: () => touched++ }) });
});
afterAll(() => model.dispose());

const owners: [string, OptionTable, number, (options: object) => unknown][] = [
  ['loadModel()', loadTable, 45_000, (options) => loadModel(undefined, { backend: spy, ...options })],
  ['generate()', generateTable, 45_000, (options) => model.generate('Hi', options)],
  ['chat()', chatTable, 10_000, (options) => model.chat(options)],
];

test.each(owners)(
  'options of %s: right ones are taken, wrong ones are an RkllmError before anything is touched',
  async (owner, table, count, call) => {
    let [taken, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(objects(table), async ({ value, isRight }) => {
        const options = value as object;
        if (isRight) {
          taken++;
          const checked = withoutUndefined(checkOptions(owner, table, options));
          return isDeepStrictEqual(checked, withoutUndefined(options));
        }
        refused++;
        const codes = [await refusal(() => checkOptions(owner, table, options)), await refusal(() => call(options))];
        return codes.every((code) => code === 'RKLLM_INVALID_OPTION' || code === 'RKLLM_UNKNOWN_OPTION');
      }),
      tries(count),
    );
    expect(touched).toBe(0);
    expect(Math.min(taken, refused)).toBeGreaterThan((taken + refused) / 10);
  },
  120_000,
);
