/** Arguments that TypeScript would never let through, near to those that the addon takes. */
import fc from 'fast-check';
import path from 'node:path';
import { runInNewContext } from 'node:vm';
import type { ModelHandle, QuestionHandle, RunHandle } from '../../lib/backends/rkllm/addon.js';
import { Subject, addon, states } from '../lifecycle/rkllm-states.cjs';
import { root } from '../support/run-node.js';

/** Thrown by hostile arguments, to be told from what the addon throws. */
export const mine = new RangeError('mine');
const throwing = (): never => {
  throw mine;
};

/** What stands for a handle among the generated arguments, so that failures can be printed. */
class Named {
  constructor(
    readonly name: string,
    readonly make: () => unknown,
  ) {}

  toString(): string {
    return this.name;
  }
}

export const runtimePath = path.join(
  process.env['RKLLM_FAKES'] ?? path.join(root, 'build', 'Release', 'fake'),
  'librkllmrt-1.1.1.so',
);

/** The handles that calls are made with; those that a call has disposed of are replaced. */
class Handles {
  live: Subject | undefined;
  run: RunHandle | undefined;
  batch: Subject | undefined;
  batchRun: RunHandle | undefined;
  disposed: Subject | undefined;
  failed: Subject | undefined;
  /** Their runtimes wait for token ids, and for the embedding of one token. */
  asking: Subject[] = [];
  questions: (QuestionHandle | undefined)[] = [];
  #turns = 0;
  foreign: { model: ModelHandle; run: RunHandle } | undefined;

  /** `embed-dim 1`: how many values a token has is the model's business, and the runtime takes them on trust. */
  renew(): void {
    this.live = new Subject(['token a', 'embed-dim 1'], { runtime: this.#turns++ % 2 === 0 ? '1.1.1' : '1.3.1' });
    this.run = this.live.generate();
  }

  renewBatch(): void {
    const release = this.#turns++ % 2 === 0 ? '1.2.3' : '1.3.1';
    this.batch = new Subject(['token a', 'next-row', 'token b', 'embed-dim 1'], { runtime: release, batchSize: 2 });
    this.batchRun = this.batch.generate(3, ['hi', new Int32Array([1])]);
  }

  async settle(): Promise<void> {
    for (const subject of [this.live, this.batch]) {
      subject?.dispose();
      await subject?.saying('disposed');
    }
    this.renew();
    this.renewBatch();
    await this.endQuestions();
    this.asking = [await states.asking(), await states.embedding()];
    this.questions = this.asking.map((subject) => subject.said('asked').at(-1)?.question);
  }

  async endQuestions(): Promise<void> {
    for (const subject of this.asking) subject.dispose();
    for (const subject of this.asking) await subject.saying('disposed');
  }
}

export const handles = new Handles();

function detached(): Int32Array {
  const array = new Int32Array(4);
  structuredClone(array, { transfer: [array.buffer] });
  return array;
}

/** A view whose buffer has become too short for it. */
function outOfBounds(): Int32Array {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: object,
  ) => ArrayBuffer & { resize(length: number): void };
  const buffer = new Resizable(64, { maxByteLength: 64 });
  const array = new Int32Array(buffer, 32, 4);
  if (typeof buffer.resize === 'function') buffer.resize(8);
  return array;
}

const hostile = new Proxy({}, { get: throwing, has: throwing, ownKeys: throwing, getPrototypeOf: throwing });

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const named = (name: string, make: () => unknown): fc.Arbitrary<Named> => fc.constant(new Named(name, make));

const model = fc.oneof(
  { weight: 8, arbitrary: named('a model', () => handles.live?.model) },
  { weight: 3, arbitrary: named('a model with a batch', () => handles.batch?.model) },
  named('a disposed model', () => handles.disposed?.model),
  named('a failed model', () => handles.failed?.model),
);
const run = fc.oneof(
  named('a run', () => handles.run),
  named('a run of a batch', () => handles.batchRun),
);
const question = fc.oneof(
  named('a question about a text', () => handles.questions[0]),
  named('a question about a token', () => handles.questions[1]),
);
const notAHandle = fc.oneof(
  named("another copy's model", () => handles.foreign?.model),
  named("another copy's run", () => handles.foreign?.run),
  named('an heir of a model', () => Object.create(handles.live?.model as object)),
  named('a proxy of a model', () => new Proxy(handles.live?.model as object, {})),
  named('a clone of a run', () => structuredClone(handles.run)),
  named('a hostile proxy', () => hostile),
  named('a revoked proxy', revoked),
);

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\0', 'a\0b', '\ud800', 'relative.so', '/', `/${'x'.repeat(5000)}`, '1.1.1', '9.9.9'),
);
// What is in the range of a C type goes on to the runtime, whose ranges TypeScript checks; so no number but these.
const numeric = fc.oneof(
  fc.bigInt(),
  fc.constantFrom(0.5, 1, 2, NaN, Infinity, -Infinity, 2 ** 32, 2 ** 53, 1e39, -1e300),
);
const array = fc.oneof(
  fc.int32Array(),
  fc.uint8Array(),
  fc.float32Array(),
  fc.bigInt64Array(),
  named('a detached array', detached),
  named('an array out of bounds', outOfBounds),
  named('a shared array', () => new Int32Array(new SharedArrayBuffer(16))),
  named('an array of another realm', () => runInNewContext('new Int32Array([1, 2])')),
  named('a data view', () => new DataView(new ArrayBuffer(8))),
);
const odd = fc.oneof(
  { weight: 3, arbitrary: fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true }) },
  text,
  numeric,
  { weight: 3, arbitrary: array },
  notAHandle,
  model,
  run,
  question,
  fc.constantFrom(undefined, null, true, Symbol('s')),
  named('a function', () => throwing),
  named('a class', () => Handles),
);

const loadFields = [
  ...['runtimePath', 'runtimeVersion', 'needs', 'modelPath', 'maxContextLength', 'topK', 'topP', 'temperature'],
  ...['repeatPenalty', 'frequencyPenalty', 'presencePenalty', 'mirostat', 'mirostatTau', 'mirostatEta'],
  ...['keepTokens', 'skipSpecialTokens', 'ignoreEos', 'baseDomainId', 'embedFlash', 'cpuMask', 'runtimeTemplate'],
  'batchSize',
  ...['hasTokenizer', 'hasEmbedder'],
];
const runFields = [
  ...['maxNewTokens', 'enableThinking', 'topK', 'topP', 'temperature', 'mirostat', 'mode', 'role', 'keepHistory'],
  ...['lora', 'savePromptCache'],
];
const operations = [
  ...['loadLora', 'loadPromptCache', 'releasePromptCache', 'clearKvCache', 'kvCacheSizes', 'setChatTemplate'],
  ...['setFunctionTools', 'setCrossAttention', 'clearCrossAttention', 'none'],
];
const operationFields = [
  ...['operation', 'path', 'name', 'scale', 'keepSystemPrompt', 'system', 'prefix', 'postfix', 'tools', 'responseTag'],
  ...['keyCache', 'valueCache', 'mask', 'positions'],
];

/** An object that is right but for some fields. */
function almost(right: Record<string, unknown>, fields: readonly string[]): fc.Arbitrary<unknown> {
  const field = fc.tuple(
    fc.constantFrom(...fields),
    fc.oneof(
      odd,
      named('a throwing getter', () => mine),
    ),
  );
  return fc.array(field, { maxLength: 3 }).map((wrong) => ({ ...right, ...Object.fromEntries(wrong) }));
}

const options = fc.oneof(
  { weight: 5, arbitrary: almost({ runtimePath, modelPath: '/no/such/model', maxContextLength: 64 }, loadFields) },
  odd,
);
const listener = fc.oneof({ weight: 5, arbitrary: named('a listener', () => () => undefined) }, odd);
const id = fc.oneof({ weight: 3, arbitrary: fc.nat() }, odd);
const inputFields = ['embeddings', 'tokens'];
const single = fc.oneof(
  { weight: 2, arbitrary: fc.constant('hi') },
  text,
  array,
  almost({ embeddings: new Float32Array(16), tokens: 2 }, inputFields),
  odd,
);
const rows = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(single, single) },
  fc.array(single, { maxLength: 4 }),
  named('a list with a throwing getter', () => Object.defineProperty(['a', 'b'], 1, { get: throwing })),
  named('a list that is as long as can be', () => new Array<unknown>(2 ** 32 - 1)),
  named('a proxy of a list', () => new Proxy(['a', 'b'], {})),
);
const input = fc.oneof({ weight: 2, arbitrary: single }, rows);
const runOptions = fc.oneof(fc.constant(undefined), almost({}, runFields), odd);
const anyHandle = fc.oneof(model, run, odd);
const anyModel = fc.oneof({ weight: 4, arbitrary: model }, odd);
const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(...operations)
      .chain((name) => almost({ operation: name, path: '/no/such/file', name: 'x', tools: '[]' }, operationFields)),
  },
  odd,
);

// The embedding has eight values.
const answer = fc.oneof({ weight: 2, arbitrary: array }, fc.constantFrom(new Float32Array(8), undefined), odd);

const takingNone = ['lineBufferStdout', 'expectChild'];
/** The exports but for those that take no arguments. */
export const takingArguments = Object.keys(addon).filter((name) => !takingNone.includes(name));
// Numbers of no children: this process, and those that no system has.
const pid = fc.oneof(fc.constant(process.pid), fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }));

/** A function, and arguments that are near to what it takes; then any number of any. */
export const call = fc.oneof(
  fc.tuple(fc.constant('load'), fc.tuple(options, listener)),
  fc.tuple(fc.constant('start'), fc.tuple(anyModel, id, input, runOptions)),
  fc.tuple(fc.constant('perform'), fc.tuple(anyModel, id, operation)),
  fc.tuple(fc.constantFrom('drain', 'arm', 'dispose', 'abandon'), fc.tuple(anyHandle)),
  fc.tuple(fc.constant('answer'), fc.tuple(fc.oneof({ weight: 4, arbitrary: question }, odd), answer)),
  fc.tuple(fc.constant('abort'), fc.tuple(anyHandle, anyHandle)),
  fc.tuple(fc.constantFrom('guardChild', 'releaseChild'), fc.tuple(fc.oneof(pid, odd))),
  fc.tuple(fc.constantFrom(...takingArguments), fc.array(odd, { maxLength: 5 })),
);

/** Puts the real things in the place of their names, to the depth in which they are generated. */
export function realize(value: unknown): unknown {
  if (value instanceof Named) return value.make();
  if (Array.isArray(value)) return (value as unknown[]).map(realize);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const real = {};
  for (const [key, field] of Object.entries(value)) {
    const getter = field instanceof Named && field.name === 'a throwing getter';
    const descriptor = getter
      ? { get: throwing }
      : { value: field instanceof Named ? field.make() : (field as unknown) };
    Object.defineProperty(real, key, { ...descriptor, enumerable: true, configurable: true });
  }
  return real;
}
