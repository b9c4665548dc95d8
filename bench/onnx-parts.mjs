/**
 * Parts of the ONNX backend against what is wanted of them: choosing a token among as many as Phi-3 has, the bytes of a token, and
 * the embedded model against transformers.js, which takes turns with it on the same graph. See bench/onnx.mjs for how it is called.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { judge, machine, median, round } from './common/figures.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const onnx = (name) => require(path.join(root, 'dist/backends/onnx', `${name}.js`));
const { Sampler } = onnx('sampler');
const { Detokenizer } = onnx('detokenizer');
const { loadTokenizer } = onnx('tokenizer');
const { createOnnxBackend } = onnx('index');
const { seededRandom } = onnx('random');

const embedded = path.join(root, 'models/tiny-phi3');
const vocabularySize = 32_064;
const draws = 400;
const plain = { temperature: 0.8, topK: 0, repeatPenalty: 1, frequencyPenalty: 0, presencePenalty: 0, seed: 1 };
const samplings = {
  topK: { ...plain, topK: 40, topP: 0.95, repeatPenalty: 1.1 },
  topP: { ...plain, topP: 0.95 },
};

/** A bell curve, with some tokens far above it as a model has them; the flat ones are worse than any model's. */
const rows = {
  certain: logits({ spread: 2, peaks: 5, from: 15, to: 20 }),
  open: logits({ spread: 2, peaks: 50, from: 8, to: 12 }),
  undecided: logits({ spread: 2.5, peaks: 0 }),
  nearlyFlat: logits({ spread: 1, peaks: 0 }),
  flat: logits({ spread: 0, peaks: 0 }),
};
const modelLike = ['certain', 'open', 'undecided'];

/** @param transformersJs - a directory in which it is installed; undefined: the comparison is left out. */
export async function benchParts({ transformersJs, tokens, rounds }) {
  const topK = microsecondsByRow(samplings.topK);
  const topP = microsecondsByRow(samplings.topP);
  const detokenizing = await measureDetokenizer();
  const worst = (byRow) => Math.max(...modelLike.map((name) => byRow[name]));
  const comparison =
    transformersJs === undefined
      ? 'left out: no --transformers-js directory was given'
      : await compareWithTransformersJs(path.resolve(transformersJs), tokens, rounds);
  return {
    ...{ load: os.loadavg().map(round), ...machine() },
    microsecondsPerToken: { topK, topP, detokenizing },
    judgedBy: `the worst of ${modelLike.join(', ')}`,
    transformersJs: comparison,
    microsecondsWanted: judge(
      { topK: worst(topK), topP: worst(topP), detokenizing: Math.max(...Object.values(detokenizing)) },
      { topK: 120, topP: 600, detokenizing: 5 },
    ),
    ...(transformersJs !== undefined && {
      timesTransformersJs: { measured: comparison.ratio, wanted: 1.5, met: comparison.ratio >= 1.5 },
    }),
  };
}

function logits({ spread, peaks, from, to }) {
  const random = seededRandom(7);
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const row = Float32Array.from({ length: vocabularySize }, () => spread * gaussian());
  for (let i = 0; i < peaks; i++) row[Math.floor(random() * vocabularySize)] = from + random() * (to - from);
  return row;
}

/** Without the copy of the row, which the penalties change. The prompt has 512 different tokens. */
function microsecondsByRow(settings) {
  const prompt = Int32Array.from({ length: 512 }, (_, i) => i * 61);
  const samplers = Object.keys(rows).map((name) => ({ name, sampler: new Sampler(settings, prompt), times: [] }));
  for (let i = -draws / 4; i < draws; i++) {
    for (const { name, sampler, times } of samplers) {
      const row = rows[name].slice();
      const startedAt = performance.now();
      sampler.next(row);
      if (i >= 0) times.push(1000 * (performance.now() - startedAt));
    }
  }
  return Object.fromEntries(samplers.map(({ name, times }) => [name, round(median(times))]));
}

/** Answers of 1,000 tokens, from the table of the embedded model: of all its tokens, and of its bytes. */
async function measureDetokenizer() {
  const { table } = await loadTokenizer(embedded);
  const { vocab } = JSON.parse(readFileSync(path.join(embedded, 'tokenizer.json'), 'utf8')).model;
  const kinds = {
    allTokens: Object.values(vocab),
    byteTokens: Object.entries(vocab).flatMap(([piece, id]) => (/^<0x[0-9A-F]{2}>$/u.test(piece) ? [id] : [])),
  };
  const microseconds = (ids) => {
    const random = seededRandom(3);
    const answer = Array.from({ length: 1000 }, () => ids[Math.floor(random() * ids.length)]);
    const times = [];
    for (let i = -20; i < 100; i++) {
      const detokenizer = new Detokenizer(table, undefined);
      const startedAt = performance.now();
      for (const id of answer) detokenizer.next(id);
      if (i >= 0) times.push((1000 * (performance.now() - startedAt)) / answer.length);
    }
    return round(median(times));
  };
  return Object.fromEntries(Object.entries(kinds).map(([name, ids]) => [name, microseconds(ids)]));
}

/** Three wordings, so that little of a prompt is known from the round before; their answers are the longest of the model. */
const questions = ['Give me a step by step guide', 'give me a step by step guide', 'Give me a step by step guide.'];

/** Both greedily, on one thread, from the same prompt; rounds alternate, and who is first does too. */
async function compareWithTransformersJs(directory, tokens, rounds) {
  const copies = mkdtempSync(path.join(os.tmpdir(), 'rkllm-transformers-js-'));
  process.on('exit', () => rmSync(copies, { recursive: true }));
  const { version, ask: theirs } = await loadTransformersJs(directory, copies);
  const ours = await loadBackend();
  const { encode } = await loadTokenizer(embedded);
  const prompts = questions.map((question) => [...encode(`<|user|>\n${question}<|end|>\n<|assistant|>\n`)]);
  const ratios = [];
  const speeds = { theirs: [], ours: [] };
  for (let number = -1; number < rounds; number++) {
    const prompt = prompts[(number + 1) % prompts.length];
    const given = new Map();
    for (const ask of number % 2 === 0 ? [theirs, ours] : [ours, theirs])
      given.set(ask, await timed(ask, prompt, tokens));
    const [other, own] = [given.get(theirs), given.get(ours)];
    if (own.ids.length !== tokens || own.ids.join() !== other.ids.join())
      throw new Error(`Not the same ${tokens} tokens: ${own.ids.join()} and ${other.ids.join()}.`);
    if (number < 0) continue; // the first one warms up
    ratios.push(own.tokensPerSecond / other.tokensPerSecond);
    speeds.theirs.push(other.tokensPerSecond);
    speeds.ours.push(own.tokensPerSecond);
  }
  return {
    ...{ version, tokens, rounds, sameTokens: true },
    tokensPerSecond: { theirs: Math.round(median(speeds.theirs)), ours: Math.round(median(speeds.ours)) },
    ratio: round(median(ratios)),
  };
}

async function timed(ask, prompt, tokens) {
  const startedAt = performance.now();
  const ids = await ask(prompt, tokens);
  return { ids, tokensPerSecond: (1000 * ids.length) / (performance.now() - startedAt) };
}

/** The same graph and tokenizer, in the layout that it knows. */
function layOut(directory) {
  mkdirSync(path.join(directory, 'onnx'), { recursive: true });
  copyFileSync(path.join(embedded, 'model.onnx'), path.join(directory, 'onnx/model.onnx'));
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(path.join(embedded, file), path.join(directory, file));
  const { model } = JSON.parse(readFileSync(path.join(embedded, 'genai_config.json'), 'utf8'));
  const { hidden_size, num_hidden_layers, num_attention_heads, num_key_value_heads } = model.decoder;
  const { vocab_size, bos_token_id, eos_token_id, pad_token_id } = model;
  const config = {
    ...{ architectures: ['Phi3ForCausalLM'], model_type: 'phi3', max_position_embeddings: model.context_length },
    ...{ hidden_size, num_hidden_layers, num_attention_heads, num_key_value_heads },
    ...{ vocab_size, bos_token_id, eos_token_id, pad_token_id },
  };
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify(config));
}

async function loadTransformersJs(directory, copies) {
  layOut(path.join(copies, 'tiny-phi3'));
  const { AutoModelForCausalLM, Tensor, env } = createRequire(path.join(directory, 'package.json'))(
    '@huggingface/transformers',
  );
  env.allowRemoteModels = false;
  env.localModelPath = `${copies}/`;
  const session_options = { intraOpNumThreads: 1, logSeverityLevel: 4 };
  const options = { dtype: 'fp32', device: 'cpu', session_options };
  const model = await AutoModelForCausalLM.from_pretrained('tiny-phi3', options);
  const ask = async (prompt, tokens) => {
    const dims = [1, prompt.length];
    const output = await model.generate({
      input_ids: new Tensor('int64', BigInt64Array.from(prompt, BigInt), dims),
      attention_mask: new Tensor('int64', new BigInt64Array(prompt.length).fill(1n), dims),
      ...{ max_new_tokens: tokens, do_sample: false },
    });
    return Array.from(output.data, Number).slice(prompt.length);
  };
  return { version: env.version, ask };
}

async function loadBackend() {
  const model = await createOnnxBackend().load({ path: embedded, sampling: {}, threads: 1 });
  return async (prompt, maxNewTokens) => {
    const input = { type: 'tokens', tokenIds: Int32Array.from(prompt) };
    const run = model.start({ input, maxNewTokens, sampling: { temperature: 0 } });
    const ids = [];
    for (let batch; (batch = (await run.readable(), run.drain())) !== undefined;) ids.push(...batch.tokenIds);
    await run.ended;
    return ids;
  };
}
