/** What is drawn comes as often as the probabilities say: chi-square tests on one row of logits, with fixed seeds. */
import { Sampler } from '../../../lib/backends/onnx/sampler.js';
import { resolveSampling, type SamplerSettings } from '../../../lib/backends/onnx/sampling-settings.js';

const plain: SamplerSettings = {
  temperature: 1,
  topK: 0,
  topP: 1,
  repeatPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  seed: 11,
};
const draws = 5000;
/** A power law, as the tokens of a language follow, in no order. */
const row = Float32Array.from({ length: 100 }, (_, id) => -1.2 * Math.log(1 + ((id * 37) % 100)));

function drawn(settings: Partial<SamplerSettings>, count = draws): number[] {
  const sampler = new Sampler({ ...plain, ...settings }, new Int32Array(0));
  return Array.from({ length: count }, () => sampler.next(row.slice()));
}

function probabilities(temperature: number, kept: (rank: number, before: number) => boolean): Map<number, number> {
  const weights = [...row.keys()].map((id) => [id, Math.exp((row[id] ?? 0) / temperature)] as const);
  weights.sort((a, b) => b[1] - a[1]);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  let before = 0;
  const chosen = weights.filter(([, weight], rank) => {
    const keep = kept(rank, before / total);
    before += weight;
    return keep;
  });
  const mass = chosen.reduce((sum, [, weight]) => sum + weight, 0);
  return new Map(chosen.map(([id, weight]) => [id, weight / mass]));
}

/** Below 3.1 for 99.9 % of all seeds (Wilson and Hilferty's approximation by a normal distribution). */
function chiSquareDeviation(tokens: readonly number[], expected: ReadonlyMap<number, number>): number {
  const counts = new Map<number, number>();
  for (const id of tokens) counts.set(id, (counts.get(id) ?? 0) + 1);
  let statistic = 0;
  let cells = 0;
  let [restExpected, restFound] = [0, 0];
  for (const [id, probability] of expected) {
    const [wanted, found] = [probability * tokens.length, counts.get(id) ?? 0];
    counts.delete(id);
    if (wanted < 5) {
      restExpected += wanted;
      restFound += found;
      continue;
    }
    statistic += (found - wanted) ** 2 / wanted;
    cells++;
  }
  if (counts.size > 0) return Infinity; // something that must not come
  if (restExpected >= 5) {
    statistic += (restFound - restExpected) ** 2 / restExpected;
    cells++;
  }
  const spread = 2 / (9 * (cells - 1));
  return (Math.cbrt(statistic / (cells - 1)) - (1 - spread)) / Math.sqrt(spread);
}

it.each([
  ['all tokens', {}, 1, () => true],
  ['a temperature', { temperature: 0.7 }, 0.7, () => true],
  ['top-k', { topK: 40 }, 1, (rank: number) => rank < 40],
  ['top-p', { topP: 0.8 }, 1, (_: number, before: number) => before < 0.8],
  ['top-p at a temperature', { topP: 0.6, temperature: 1.5 }, 1.5, (_: number, before: number) => before < 0.6],
] as const)('with %s', (_, settings, temperature, kept) => {
  expect(chiSquareDeviation(drawn(settings), probabilities(temperature, kept))).toBeLessThan(3.1);
  // The test tells a wrong distribution: another temperature is one.
  expect(
    chiSquareDeviation(drawn({ ...settings, temperature: 1.3 * temperature }), probabilities(temperature, kept)),
  ).toBeGreaterThan(5);
});

it('with penalties, as if the logits were lower', () => {
  const best = row.indexOf(Math.max(...row));
  const settings = { ...plain, presencePenalty: 1, frequencyPenalty: 0.5 };
  const sampler = new Sampler(settings, new Int32Array(0));
  const first = [best, best].map((id) => {
    const only = new Float32Array(row.length).fill(-Infinity);
    only[id] = 0;
    return sampler.next(only);
  });
  expect(first).toEqual([best, best]);
  // From here on the token's logit is 2 lower, for one draw of each sampler.
  const tokens = Array.from({ length: 2000 }, (_, i) => {
    const one = new Sampler({ ...settings, seed: i }, new Int32Array(0));
    for (const id of first) {
      const only = new Float32Array(row.length).fill(-Infinity);
      only[id] = 0;
      one.next(only);
    }
    return one.next(row.slice());
  });
  const plainShare = Math.exp(row[best] ?? 0);
  const others = row.reduce((sum, logit) => sum + Math.exp(logit), 0) - plainShare;
  const lowered = plainShare * Math.exp(-2);
  expect(tokens.filter((id) => id === best).length / tokens.length).toBeCloseTo(lowered / (lowered + others), 1);
});

describe.each([1, 2] as const)('Mirostat %i', (version) => {
  /** Of what was drawn, in bits. */
  function entropy(tokens: readonly number[]): number {
    const counts = new Map<number, number>();
    for (const id of tokens) counts.set(id, (counts.get(id) ?? 0) + 1);
    return [...counts.values()].reduce(
      (sum, count) => sum - (count / tokens.length) * Math.log2(count / tokens.length),
      0,
    );
  }

  it.each([1, 2.5, 4])('holds the surprise near %d bits', (tau) => {
    const tokens = drawn({ mirostat: { version, tau, eta: 0.05 } });
    expect(Math.abs(entropy(tokens.slice(1000)) - tau)).toBeLessThan(0.35);
  });

  it('leaves a row as it is that has less surprise than the target', () => {
    const tokens = drawn({ mirostat: { version, tau: 20, eta: 0.1 } });
    expect(
      chiSquareDeviation(
        tokens,
        probabilities(1, () => true),
      ),
    ).toBeLessThan(3.1);
  });

  it('takes the most likely token for a target of 0, and repeats itself with the same seed', () => {
    const best = row.indexOf(Math.max(...row));
    expect(new Set(drawn({ mirostat: { version, tau: 0, eta: 0.1 } }, 50))).toEqual(new Set([best]));
    const settings = { mirostat: { version, tau: 3, eta: 0.1 } };
    expect(drawn(settings, 50)).toEqual(drawn(settings, 50));
    expect(drawn({ ...settings, seed: 12 }, 50)).not.toEqual(drawn(settings, 50));
  });

  it('is chosen by the options, with the runtime’s defaults', () => {
    const search = { doSample: false, temperature: 1, topK: 1, topP: 1, repeatPenalty: undefined };
    expect(resolveSampling(search, { mirostat: version }, {})).toMatchObject({
      temperature: 0.8,
      mirostat: { version, tau: 5, eta: 0.1 },
    });
    expect(resolveSampling(search, { mirostat: version }, { mirostat: 0 }).mirostat).toBeUndefined();
  });
});
