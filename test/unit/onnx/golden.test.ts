/** Against transformers, which computed the same weights on its own (tools/onnx/golden/reference.py). */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { goldenCases } from '../../../tools/onnx/golden/cases.js';
import { writeGenaiModel } from '../../../tools/onnx/write-genai-model.js';
import { Fixtures, generate } from './helpers.js';
import { runNode } from './run-node.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

interface Golden {
  readonly tokens: readonly number[];
  /** Of all tokens, by the number of tokens of the answer before. */
  readonly logits: Readonly<Record<string, readonly number[]>>;
}

function golden(name: string): Golden {
  return JSON.parse(readFileSync(path.join('test/unit/onnx/golden', `${name}.json`), 'utf8')) as Golden;
}

describe.each(goldenCases)('$name', ({ name, model, prompt }) => {
  const { tokens, logits } = golden(name);
  let directory: string;

  beforeAll(() => {
    ({ directory } = writeGenaiModel(fixtures.directory(), model));
    const threshold = model.longRope?.threshold;
    const config = threshold === undefined ? {} : { original_max_position_embeddings: threshold };
    writeFileSync(path.join(directory, 'config.json'), JSON.stringify(config));
  });

  it(`has ${tokens.length} greedy tokens in common with transformers`, async () => {
    const loaded = await fixtures.load(directory, { prefillChunk: 16 });
    expect((await generate(loaded, prompt, { maxNewTokens: tokens.length })).tokens).toEqual(tokens);
  });

  it('has the same logits, whether tokens are computed one by one or together', async () => {
    const texts = Object.keys(logits).map((count) => [...prompt, ...tokens.slice(0, Number(count))]);
    const result = await runNode(`
      const { Decoder } = require(${JSON.stringify(path.resolve('dist/backends/onnx/decoder.js'))});
      const { readLayout } = require(${JSON.stringify(path.resolve('dist/backends/onnx/layout.js'))});
      const { BusyGuard, createGuardCells } = require(${JSON.stringify(path.resolve('dist/backends/onnx/busy-guard.js'))});
      const layout = await readLayout(${JSON.stringify(directory)});
      const rows = [];
      for (const chunk of [1, 1000]) {
        const decoder = await Decoder.open(layout, layout.contextLength, 1, new BusyGuard(createGuardCells()));
        for (const text of ${JSON.stringify(texts)}) {
          const ids = Int32Array.from(text);
          let row;
          for (let at = decoder.rewindTo(ids, ids.length); at < ids.length; at += chunk) row = await decoder.compute(ids.subarray(at, at + chunk));
          rows.push([...row]);
        }
      }
      console.log(JSON.stringify(rows));
    `);
    const rows = JSON.parse(result.stdout) as number[][];
    const expected = Object.values(logits);
    expect(rows).toHaveLength(2 * expected.length);
    const differences = rows.map((row, i) => {
      const other = expected[i % expected.length] ?? [];
      expect(row).toHaveLength(other.length);
      return Math.max(...row.map((value, id) => Math.abs(value - (other[id] ?? NaN))));
    });
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  });
});
