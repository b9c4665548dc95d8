/**
 * 2,000 lives of a model whose engine dies at any moment: in a load, before the first token, after some, at rest; with
 * requests that come, are aborted and wait meanwhile. What must hold is seen in the record of the engine alone.
 */
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { isRkllmError, loadModel, type Generation, type GenerationResult } from 'rkllm';
import { scripted, type ScriptedAnswer } from 'rkllm/testing';
import { tries } from './runs.js';

const answer: fc.Arbitrary<ScriptedAnswer> = fc.record(
  { tokens: fc.constantFrom<string[]>([], ['a'], ['a', 'b', 'c']), crashAfterTokens: fc.nat(4) },
  { requiredKeys: ['tokens'] },
);

const load = fc.oneof(
  { weight: 6, arbitrary: fc.constant(false) },
  { weight: 2, arbitrary: fc.constant({ code: 'RKLLM_RUNTIME_CRASHED' } as const) },
  { weight: 1, arbitrary: fc.constant({ code: 'RKLLM_MODEL_NOT_FOUND' } as const) },
);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ do: 'ask' } as const) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(20), signal: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant({ do: 'crash' } as const) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'pause' } as const) },
);

const lives = fc.record({
  answers: fc.array(answer, { minLength: 1, maxLength: 12 }),
  loads: fc.array(load, { maxLength: 5 }),
  steps: fc.array(step, { maxLength: 24 }),
  slots: fc.integer({ min: 1, max: 2 }),
  maxCrashes: fc.integer({ min: 2, max: 6 }),
  end: fc.constantFrom('settle', 'dispose', 'dispose with abort'),
});

type Life = typeof lives extends fc.Arbitrary<infer T> ? T : never;

interface Asked {
  readonly generation: Generation;
  readonly controller: AbortController;
  /** What became of it. There must be exactly one. */
  readonly outcomes: (GenerationResult | { readonly error: unknown })[];
  readonly chunks: string[];
}

function hold(condition: boolean, what: string, seen: unknown): void {
  if (!condition) throw new Error(`${what}: ${JSON.stringify(seen)}`);
}

/** Lives it, and returns what happened to each request, and in which order the engines got them. */
async function live({ answers, loads, steps, slots, maxCrashes, end }: Life): Promise<{
  asked: Asked[];
  starts: { readonly request: number; readonly engine: number; readonly written: number }[];
  states: Set<string>;
}> {
  const engineOf: number[] = [];
  const backend = scripted({
    replies: answers,
    failLoad: [false, ...loads, false],
    capabilities: { slots },
    onRun: () => engineOf.push(backend.loads.length),
  });
  const model = await loadModel(undefined, {
    backend,
    onCrash: 'restart',
    restart: { maxCrashes, delayMs: 0 },
    queue: { maxPending: 100 },
  });
  const asked: Asked[] = [];
  const states = new Set<string>();
  const ask = (): void => {
    const controller = new AbortController();
    const generation = model.generate({ prompt: asked.length.toString() }, { signal: controller.signal });
    const outcomes: Asked['outcomes'] = [];
    const chunks: string[] = [];
    generation.then(
      (result) => outcomes.push(result),
      (error: unknown) => outcomes.push({ error }),
    );
    void (async () => {
      for await (const chunk of generation) chunks.push(chunk.type);
    })().catch(() => undefined);
    asked.push({ generation, controller, outcomes, chunks });
  };
  for (const each of steps) {
    states.add(model.state);
    if (each.do === 'ask' && model.state !== 'failed') ask();
    else if (each.do === 'crash') backend.crash();
    else if (each.do === 'pause') await new Promise((resolve) => setTimeout(resolve, 1));
    else if (each.do === 'turns') for (let count = 0; count < each.count; count++) await turn();
    else if (each.do === 'abort') {
      const one = asked[each.which % Math.max(asked.length, 1)];
      if (each.signal) one?.controller.abort();
      else one?.generation.abort();
    }
  }
  if (end !== 'settle') await model.dispose({ abort: end === 'dispose with abort' });
  await Promise.all(asked.map(({ generation }) => generation.result().catch(() => undefined)));
  await turn();
  states.add(model.state);
  hold(model.pending === 0, 'nobody waits', model.pending);
  await model.dispose();
  const starts = backend.requests.map(({ prompt, written }, index) => ({
    request: Number(prompt),
    engine: engineOf[index] ?? 0,
    written,
  }));
  hold(backend.disposals <= backend.loads.length, 'nothing is freed twice', backend.disposals);
  return { asked, starts, states };
}

test('whenever an engine dies', async () => {
  const seen = new Set<string>();
  let repeated = 0;
  await fc.assert(
    fc.asyncProperty(lives, async (life) => {
      const { asked, starts, states } = await live(life);
      for (const state of states) seen.add(state);
      for (const [request, { outcomes, chunks, controller }] of asked.entries()) {
        hold(outcomes.length === 1, 'each settles once', [request, outcomes]);
        const [outcome] = outcomes;
        const error = outcome !== undefined && 'error' in outcome ? outcome.error : undefined;
        const isExplained = error === undefined || isRkllmError(error) || error === controller.signal.reason;
        hold(isExplained, 'errors have a type', String(error));
        const finishes = chunks.filter((type) => type === 'finish').length;
        hold(finishes === (error === undefined ? 1 : 0), 'one finish, or a failure', [request, chunks]);
        const runs = starts.filter((start) => start.request === request);
        repeated += runs.length - 1 > 0 ? 1 : 0;
        hold(runs.length <= 2, 'nothing is served three times', runs);
        hold(runs.length < 2 || runs[0]?.written === 0, 'what had a token is not served again', runs);
        hold(runs.length < 2 || runs[0]?.engine !== runs[1]?.engine, 'by another engine', runs);
      }
      for (const [index, { request, engine }] of starts.entries()) {
        const before = starts.slice(0, index).filter((start) => start.engine === engine);
        hold(
          before.every((start) => start.request < request),
          'each engine gets them in the order in which they came',
          starts,
        );
        const earlier = starts.slice(0, index);
        const had = new Set(earlier.filter((start) => start.request === request).map((start) => start.engine));
        const passed = earlier.filter((start) => start.request > request);
        hold(
          passed.every((start) => had.has(start.engine)),
          'nobody passes but while it has a slot itself',
          starts,
        );
      }
    }),
    tries(2000),
  );
  expect([...seen].sort()).toEqual(['busy', 'disposed', 'failed', 'ready', 'restarting']);
  expect(repeated).toBeGreaterThan(100);
}, 120_000);
