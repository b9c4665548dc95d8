/**
 * One design of the token path, measured in a process of its own. Started by token-path.mjs:
 *
 *   node bench/token-path-designs.mjs '{"design":"chunks","task":"flood",...}'
 *
 * Prints one line of JSON. Every design delivers to code that waits on the event loop and looks at every token's id.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { abort, flood, loader, pace, readChunks, readChunkTokens, readTextStream } from './common/tasks.mjs';

const require = createRequire(import.meta.url);
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const job = JSON.parse(process.argv[2]);
const loadOurs = loader(job);

/** Loads by `load`, reads by `read(handle, sums)`, aborts and frees where the task needs it. */
const designs = {
  'per-token': { load: loadPerToken, read: (run, sums) => readTokens(run, sums) },
  koffi: { load: loadKoffi, read: (run, sums) => readTokens(run, sums) },
  seam: { load: loadBackend, read: readSeam },
  chunks: { load: loadOurs, read: readChunks },
  tokens: { load: loadOurs, read: readChunkTokens },
  'for-await-token': { load: loadOurs, read: (model, sums) => readTokens(() => eachToken(model.generate('x')), sums) },
  'text-stream': { load: loadOurs, read: readTextStream },
};

const tasks = { flood, pace, abort };
console.log(JSON.stringify(await tasks[job.task](designs[job.design], job)));
process.exit(0); // what the designs of the bench leave behind is not worth tidying

async function readTokens(run, sums) {
  for await (const { text, tokenId } of run()) {
    sums.tokens++;
    sums.characters += text.length;
    sums.ids += tokenId;
  }
}

/** One result object and one promise per token, as a naive consumer of either addon has. */
async function loadPerToken(model) {
  const addon = require(job.perTokenAddon);
  const { AsyncBuffer } = require(path.join(root, 'dist/async-buffer.js'));
  const handle = addon.open(job.runtime, model);
  return () => {
    const buffer = new AsyncBuffer();
    addon.run(handle, (token) => (token === undefined ? buffer.close() : buffer.push(token)));
    return { [Symbol.asyncIterator]: () => buffer };
  };
}

/** The vendor's function on a pool thread, its callback in JavaScript: koffi makes the runtime wait for it. */
async function loadKoffi(model) {
  const koffi = require('koffi');
  const { AsyncBuffer } = require(path.join(root, 'dist/async-buffer.js'));
  const Param = koffi.struct({
    modelPath: 'const char *',
    maxContextLen: 'int32_t',
    maxNewTokens: 'int32_t',
    topK: 'int32_t',
    sampling: koffi.array('float', 5),
    mirostat: 'int32_t',
    mirostatTau: 'float',
    mirostatEta: 'float',
    skipSpecialToken: 'uint8_t',
    isAsync: 'uint8_t',
    imgStart: 'const char *',
    imgEnd: 'const char *',
    imgContent: 'const char *',
    baseDomainId: 'int32_t',
    reserved: koffi.array('uint8_t', 112),
  });
  const Input = koffi.struct({ type: 'int32_t', prompt: 'const char *', rest: koffi.array('uint64_t', 2) });
  const Infer = koffi.struct({ mode: 'int32_t', lora: 'void *', promptCache: 'void *' });
  const Result = koffi.struct({ text: 'const char *', tokenId: 'int32_t' });
  const Callback = koffi.proto('void', [koffi.pointer(Result), 'void *', 'int32_t']);
  const library = koffi.load(job.runtime);
  const init = library.func('rkllm_init', 'int', [
    koffi.inout(koffi.pointer('void *')),
    koffi.pointer(Param),
    koffi.pointer(Callback),
  ]);
  const run = library.func('rkllm_run', 'int', ['void *', koffi.pointer(Input), koffi.pointer(Infer), 'void *']);

  let onToken;
  const callback = koffi.register((result, _userdata, state) => {
    if (state <= 1) onToken(koffi.decode(result, Result));
  }, koffi.pointer(Callback));
  const handle = [null];
  const param = {
    modelPath: model,
    maxContextLen: 4096,
    maxNewTokens: -1,
    topK: 1,
    sampling: [0.9, 0.8, 1.1, 0, 0],
    mirostat: 0,
    mirostatTau: 0,
    mirostatEta: 0,
    skipSpecialToken: 1,
    isAsync: 0,
    imgStart: '',
    imgEnd: '',
    imgContent: '',
    baseDomainId: 0,
    reserved: new Array(112).fill(0),
  };
  const code = init(handle, param, callback);
  if (code !== 0) throw new Error(`rkllm_init returned ${code}`);
  return () => {
    const buffer = new AsyncBuffer();
    onToken = (token) => buffer.push(token);
    const input = { type: 0, prompt: 'x', rest: [0, 0] };
    run.async(handle[0], input, { mode: 0, lora: null, promptCache: null }, null, () => buffer.close());
    return { [Symbol.asyncIterator]: () => buffer };
  };
}

function loadBackend(model) {
  const { createRkllmBackend } = require(path.join(root, 'dist/backends/rkllm/index.js'));
  return createRkllmBackend().load({ path: model, runtimePath: job.runtime, sampling: {}, npu: { isolation: 'none' } });
}

/** Below queue, chunks and text: what the addon and one drain loop cost. Pauses as the layer above does. */
async function readSeam(model, sums) {
  const run = model.start({ input: { type: 'text', text: 'x' }, sampling: {} });
  let ended = false;
  run.ended.then(() => (ended = true));
  for (let sincePause = 0; ;) {
    const batch = run.drain();
    if (batch === undefined) {
      if (ended) break;
      await run.readable();
      continue;
    }
    for (const id of batch.tokenIds) sums.ids += id;
    sums.tokens += batch.tokenIds.length;
    sums.characters += batch.bytes.length; // ASCII
    sincePause += batch.tokenIds.length;
    if (sincePause < 2048) continue;
    sincePause = 0;
    await sleep(1);
  }
}

/**
 * What one turn of `for await` per token costs on top of chunks. A chunk's text is not divided by token, so the text
 * comes with its first one.
 */
function eachToken(generation) {
  const chunks = generation[Symbol.asyncIterator]();
  let ids = [];
  let next = 0;
  let text = '';
  const fromNextChunk = async () => {
    for (;;) {
      const { done, value } = await chunks.next();
      if (done) return { done: true, value: undefined };
      if (value.type !== 'text' || value.tokenIds.length === 0) continue;
      ({ tokenIds: ids, text } = value);
      next = 0;
      return take();
    }
  };
  const take = () => {
    const value = { text, tokenId: ids[next++] };
    text = '';
    return { done: false, value };
  };
  const iterator = {
    [Symbol.asyncIterator]: () => iterator,
    next: () => (next < ids.length ? Promise.resolve(take()) : fromNextChunk()),
  };
  return iterator;
}
