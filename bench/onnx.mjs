/**
 * Decoding speed of the ONNX backend against the least that ONNX Runtime itself needs: the same graph, run in a bare
 * loop on this thread. Both decode greedily from the same token; rounds alternate, so that a busy machine slows both.
 *
 *   node bench/onnx.mjs [model directory]
 *   node bench/onnx.mjs --full [--cache directory] [--prompt N] [--tokens N] [--rounds N]
 *   node bench/onnx.mjs --parts [--transformers-js directory] [--tokens N] [--rounds N]
 *
 * `--full`: a generated model of the size of Phi-3-mini (2.4 GB, written once to a directory outside the repository), load, prefill,
 * memory and aborts as well; see bench/onnx-full.mjs.
 *
 * `--parts`: what it takes to choose a token and to turn it into bytes, each against what is wanted. The embedded model is compared
 * with transformers.js only where there is one: in a directory in which `npm install --ignore-scripts @huggingface/transformers`
 * was run. It is too large to be installed for a figure. See bench/onnx-parts.mjs.
 */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchFullSize } from './onnx-full.mjs';
import { benchParts } from './onnx-parts.mjs';

const require = createRequire(import.meta.url);
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const { createOnnxBackend } = require(path.join(root, 'dist/backends/onnx/index.js'));
const ort = require('onnxruntime-node');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean' },
    parts: { type: 'boolean' },
    'transformers-js': { type: 'string' },
    cache: { type: 'string' },
    prompt: { type: 'string', default: '128' },
    tokens: { type: 'string' },
    rounds: { type: 'string' },
  },
});
if (options.full) {
  const [prompt, tokens, rounds] = [options.prompt, options.tokens ?? 16, options.rounds ?? 3].map(Number);
  console.log(JSON.stringify(await benchFullSize({ cache: options.cache, prompt, tokens, rounds }), undefined, 2));
  process.exit(0);
}
if (options.parts) {
  const [tokens, rounds] = [options.tokens ?? 300, options.rounds ?? 11].map(Number);
  const parts = await benchParts({ transformersJs: options['transformers-js'], tokens, rounds });
  console.log(JSON.stringify(parts, undefined, 2));
  process.exit(0);
}

const directory = path.resolve(positionals[0] ?? path.join(root, 'models/tiny-phi3'));
const rounds = 7;
const prompt = [300];

const { model: description } = JSON.parse(readFileSync(path.join(directory, 'genai_config.json'), 'utf8'));
const tokens = Math.min(300, description.context_length - 10);

/** Runs the graph for `tokens` tokens with nothing around it but the choice of the next one. */
async function makeBareLoop() {
  const file = path.join(directory, description.decoder.filename);
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const width = session.outputMetadata.find(({ name }) => name === 'logits').shape.at(-1);
  const logits = new ort.Tensor('float32', new Float32Array(width), [1, 1, width]);
  const feeds = {};
  const fetches = { logits };
  for (const { name, shape } of session.inputMetadata.filter(({ name }) => name.startsWith('past_key_values.'))) {
    const dims = [1, shape[1], tokens, shape[3]];
    const tensor = new ort.Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b)), dims);
    feeds[name] = tensor;
    fetches[name.replace('past_key_values', 'present')] = tensor;
  }
  return async () => {
    let id = BigInt(prompt[0]);
    for (let i = 1; i <= tokens; i++) {
      feeds.input_ids = new ort.Tensor('int64', BigInt64Array.of(id), [1, 1]);
      feeds.attention_mask = new ort.Tensor('int64', new BigInt64Array(i).fill(1n), [1, i]);
      await session.run(feeds, fetches);
      let best = 0;
      for (let v = 1; v < width; v++) if (logits.data[v] > logits.data[best]) best = v;
      id = BigInt(best);
    }
    return tokens;
  };
}

async function makeBackendLoop(sampling, json) {
  const model = await createOnnxBackend().load({ path: directory, sampling: {}, threads: 1 });
  return async () => {
    let count = 0;
    // A model that ends its answer is asked again, with another token, until there are enough.
    for (let i = 0; count < tokens; i++) {
      // A value has to have room, however few are left.
      const maxNewTokens = json === undefined ? tokens - count : tokens;
      const input = { type: 'tokens', tokenIds: Int32Array.of(prompt[0] + i) };
      const run = model.start({ input, maxNewTokens, sampling, json });
      for (;;) {
        await run.readable();
        const batch = run.drain();
        if (batch === undefined) break;
        count += batch.tokenIds.length;
      }
      await run.ended;
    }
    return count;
  };
}

const sampling = { temperature: 0.8, topK: 40, topP: 0.9, seed: 1 };
const loops = {
  bare: await makeBareLoop(),
  greedy: await makeBackendLoop({}),
  sampled: await makeBackendLoop(sampling),
  // Held to a schema whose values have many situations; what is known of them is kept from round to round.
  json: await makeBackendLoop(sampling, {
    type: 'array',
    minItems: 2,
    items: {
      type: 'object',
      properties: { name: { type: 'string' }, size: { type: 'number' } },
      required: ['name', 'size'],
    },
  }),
};
const speeds = Object.fromEntries(Object.keys(loops).map((name) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const [name, loop] of Object.entries(loops)) {
    const start = performance.now();
    const count = await loop();
    if (round > 0) speeds[name].push((count * 1000) / (performance.now() - start)); // the first one warms up
  }
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const result = Object.fromEntries(Object.entries(speeds).map(([name, values]) => [name, median(values)]));
console.log(
  JSON.stringify({
    model: path.basename(directory),
    tokensPerSecond: Object.fromEntries(Object.entries(result).map(([name, value]) => [name, Math.round(value)])),
    greedyToBare: Number((result.greedy / result.bare).toFixed(3)),
    sampledToBare: Number((result.sampled / result.bare).toFixed(3)),
    jsonToSampled: Number((result.json / result.sampled).toFixed(3)),
  }),
);
process.exit(0);
