import fc from 'fast-check';
import { argmax, nucleus, topTokens } from '../../../lib/backends/onnx/candidates.js';
import { Sampler } from '../../../lib/backends/onnx/sampler.js';
import { resolveSampling, type SamplerSettings } from '../../../lib/backends/onnx/sampling-settings.js';

const plain: SamplerSettings = {
  temperature: 1,
  topK: 0,
  topP: 1,
  repeatPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  seed: 7,
};
const noPrompt = new Int32Array(0);
/** Few distinct values, so that there are ties, and masked tokens; at least one token is possible. */
const logitsArbitrary = fc
  .tuple(
    fc.integer({ min: -400, max: 400 }),
    fc.array(fc.oneof({ weight: 9, arbitrary: fc.integer({ min: -400, max: 400 }) }, fc.constant(-Infinity)), {
      maxLength: 200,
    }),
  )
  .map(([first, others]) => Float32Array.from([...others, first], (value) => value / 40));

/** All ids, most likely first. */
function ranked(logits: Float32Array): number[] {
  return [...logits.keys()].sort(
    (a, b) => Number(logits[a] === logits[b]) * (a - b) || (logits[b] ?? 0) - (logits[a] ?? 0),
  );
}

/** The obvious way: sort everything, and take tokens until their share is reached. */
function naiveNucleus(logits: Float32Array, temperature: number, topP: number): number[] {
  const max = Math.max(...logits);
  const weight = (id: number): number => Math.exp(((logits[id] ?? 0) - max) / temperature);
  const total = [...logits.keys()].reduce((sum, id) => sum + weight(id), 0);
  const kept: number[] = [];
  let mass = 0;
  for (const id of ranked(logits)) {
    if (kept.length > 0 && mass >= topP * total) break;
    kept.push(id);
    mass += weight(id);
  }
  return kept;
}

function sample(settings: Partial<SamplerSettings>, logits: Float32Array, count: number): number[] {
  const sampler = new Sampler({ ...plain, ...settings }, noPrompt);
  return Array.from({ length: count }, () => sampler.next(logits.slice()));
}

describe('argmax', () => {
  it('is the first of the largest', () => {
    fc.assert(fc.property(logitsArbitrary, (logits) => argmax(logits) === ranked(logits)[0]));
  });

  it('is -1 when nothing is a number', () => {
    expect(argmax(Float32Array.of(NaN, NaN))).toBe(-1);
  });
});

describe('topTokens', () => {
  it('equals sorting everything', () => {
    fc.assert(
      fc.property(logitsArbitrary, fc.integer({ min: 1, max: 250 }), (logits, k) => {
        expect([...topTokens(logits, k)]).toEqual(ranked(logits).slice(0, k));
      }),
    );
  });
});

describe('nucleus', () => {
  it('holds what sorting everything keeps, in the same order', () => {
    fc.assert(
      fc.property(
        logitsArbitrary,
        fc.double({ min: 0.01, max: 0.999, noNaN: true }),
        fc.double({ min: 0.05, max: 3, noNaN: true }),
        (logits, topP, temperature) => {
          const expected = naiveNucleus(logits, temperature, topP);
          const max = Math.max(...logits);
          const { ids } = nucleus(logits, max, temperature, topP);
          expect([...ids].slice(0, expected.length)).toEqual(expected);
        },
      ),
    );
  });
});

describe('Sampler', () => {
  it.each([{}, { topK: 2 }, { topP: 0.9 }, { topK: 2, topP: 0.9 }])(
    'takes the most likely token with next to no temperature: %j',
    (settings) => {
      const logits = Float32Array.of(1, -Infinity, 3, 2.9999998);
      for (const temperature of [1e-310, Number.MIN_VALUE, 1e-12]) {
        expect(sample({ ...settings, temperature }, logits, 2)).toEqual([2, 2]);
      }
    },
  );

  it('takes the most likely token at temperature 0 and with one candidate', () => {
    fc.assert(
      fc.property(logitsArbitrary, (logits) => {
        const best = argmax(logits);
        expect(sample({ temperature: 0 }, logits, 2)).toEqual([best, best]);
        expect(sample({ topK: 1, temperature: 2 }, logits, 2)).toEqual([best, best]);
        expect(sample({ topP: 1e-9 }, logits, 2)).toEqual([best, best]);
      }),
    );
  });

  it('never leaves the top-k and the nucleus', () => {
    fc.assert(
      fc.property(
        logitsArbitrary,
        fc.integer({ min: 2, max: 60 }),
        fc.double({ min: 0.05, max: 0.99, noNaN: true }),
        fc.nat(),
        (logits, topK, topP, seed) => {
          const byRank = new Set(ranked(logits).slice(0, topK));
          const byMass = new Set(naiveNucleus(logits, 1, topP));
          for (const id of sample({ topK, seed }, logits, 20)) expect(byRank).toContain(id);
          for (const id of sample({ seed }, logits, 20)) expect(logits[id]).toBeGreaterThan(-Infinity);
          for (const id of sample({ topP, seed }, logits, 20)) expect(byMass).toContain(id);
        },
      ),
    );
  });

  it('applies top-p to what top-k left', () => {
    // Of the two candidates the first has 73 %, of all tokens it would have less than 50 %.
    const logits = Float32Array.of(2, 1, 0.9, 0.9, 0.9, 0.9);
    expect(new Set(sample({ topK: 2, topP: 0.7 }, logits, 50))).toEqual(new Set([0]));
    expect(new Set(sample({ topK: 2, topP: 0.75 }, logits, 50))).toEqual(new Set([0, 1]));
  });

  it.each([
    ['all tokens', {}],
    ['top-k', { topK: 3 }],
    ['top-p', { topP: 0.999999 }],
  ])('draws as often as the probabilities say: %s', (_, settings) => {
    const probabilities = [0.5, 0.3, 0.2];
    const logits = Float32Array.from([...probabilities.map(Math.log), -60]);
    const drawn = sample(settings, logits, 20_000);
    probabilities.forEach((probability, id) => {
      expect(drawn.filter((one) => one === id).length / drawn.length).toBeCloseTo(probability, 1);
    });
    expect(drawn).not.toContain(3);
  });

  it('repeats itself with the same seed, and not with another', () => {
    const logits = new Float32Array(100);
    expect(sample({ seed: 3 }, logits, 30)).toEqual(sample({ seed: 3 }, logits, 30));
    expect(sample({ seed: 3 }, logits, 30)).not.toEqual(sample({ seed: 4 }, logits, 30));
  });

  it('makes tokens of the prompt and the output less likely by repeatPenalty', () => {
    const sampler = new Sampler({ ...plain, temperature: 0, repeatPenalty: 2 }, Int32Array.of(0, 0));
    const logits = (): Float32Array => Float32Array.of(5, 3, 2, -1);
    expect(sampler.next(logits())).toBe(1); // 2.5 3 2 -1
    expect(sampler.next(logits())).toBe(0); // 2.5 1.5 2 -1
    const negative = new Sampler({ ...plain, temperature: 0, repeatPenalty: 2 }, Int32Array.of(1));
    expect(negative.next(Float32Array.of(-3, -2))).toBe(0); // -3 -4
  });

  it('lowers generated tokens by presencePenalty once and by frequencyPenalty each time, the prompt not at all', () => {
    const logits = (): Float32Array => Float32Array.of(3, 2.2);
    const presence = new Sampler({ ...plain, temperature: 0, presencePenalty: 0.5 }, Int32Array.of(0));
    expect([0, 0, 0].map(() => presence.next(logits()))).toEqual([0, 0, 0]);
    const frequency = new Sampler({ ...plain, temperature: 0, frequencyPenalty: 0.5 }, Int32Array.of(0));
    expect([0, 0, 0].map(() => frequency.next(logits()))).toEqual([0, 0, 1]);
  });

  it.each([
    ['greedy', { temperature: 0 }],
    ['top-k', { topK: 2 }],
    ['top-p', { topP: 0.9 }],
    ['all tokens', {}],
  ])('refuses values that are not numbers: %s', (_, settings) => {
    const expected = expect.objectContaining({ code: 'RKLLM_RUN_FAILED' }) as Error;
    expect(() => sample(settings, Float32Array.of(NaN, NaN, NaN), 1)).toThrow(expected);
    expect(() => sample(settings, Float32Array.of(1, Infinity, 0), 1)).toThrow(expected);
  });
});

describe('resolveSampling', () => {
  const greedyModel = { doSample: false, temperature: 1, topK: 1, topP: 1, repeatPenalty: undefined };
  const samplingModel = { doSample: true, temperature: 0.6, topK: 20, topP: 0.95, repeatPenalty: 1.1 };

  it('keeps a greedy model greedy until a sampling option is given', () => {
    expect(resolveSampling(greedyModel, {}, { seed: 1, repeatPenalty: 1.2 })).toMatchObject({
      temperature: 0,
      repeatPenalty: 1.2,
    });
    expect(resolveSampling(greedyModel, {}, { temperature: 0.7 })).toMatchObject({
      temperature: 0.7,
      topK: 40,
      topP: 0.9,
    });
    expect(resolveSampling(greedyModel, { topP: 0.5 }, {})).toMatchObject({ temperature: 0.8, topK: 40, topP: 0.5 });
  });

  it("takes the run's options over the load's over the model's", () => {
    expect(resolveSampling(samplingModel, {}, {})).toMatchObject({
      temperature: 0.6,
      topK: 20,
      topP: 0.95,
      repeatPenalty: 1.1,
    });
    expect(resolveSampling(samplingModel, { topK: 5, topP: 0.5, seed: 1 }, { topK: 9 })).toMatchObject({
      temperature: 0.6,
      topK: 9,
      topP: 0.5,
      seed: 1,
    });
  });

  it('chooses another seed each time when none is given', () => {
    const seeds = Array.from({ length: 5 }, () => resolveSampling(greedyModel, {}, {}).seed);
    expect(new Set(seeds).size).toBeGreaterThan(1);
  });
});
