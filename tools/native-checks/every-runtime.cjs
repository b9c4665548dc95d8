/**
 * The addon with the fake runtime of every generation, in one process: streams, aborts, other calls, failures. For
 * machines and memory checkers that are too slow for the tests.
 *   node tools/native-checks/every-runtime.cjs FAKES      the directory of the fake runtimes
 * RKLLM_PREBUILD names the directory above `build/` of another addon than the checkout's. Needs dist/.
 */
const assert = require('node:assert/strict');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { loadModel, isRkllmError } = require('../../dist/index.js');

const fakes = path.resolve(process.argv[2]);
const releases = ['1.1.1', '1.2.0', '1.2.1b1', '1.2.3', '1.3.0', '1.3.1'];
const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-every-runtime-'));
const journal = path.join(directory, 'journal');

function load(release, ...script) {
  const file = path.join(directory, 'model.rkllm');
  writeFileSync(file, ['#fake-rkllm', `journal ${journal}`, ...script, ''].join('\n'));
  return loadModel(file, {
    runtimePath: path.join(fakes, `librkllmrt-${release}.so`),
    template: 'none',
    isolation: 'none',
    topK: 7,
  });
}

async function streams(release) {
  const model = await load(release, 'token 80', 'token \\xC2', 'token \\xB0C', 'repeat 50');
  assert.equal(model.info.runtime.version, release);
  const texts = [];
  for await (const chunk of model.generate('hi')) if (chunk.type === 'text') texts.push(chunk.text);
  assert.equal(texts.join(''), '80°C'.repeat(50));
  assert.equal((await model.generate({ tokenIds: [1, 2, 3] }, { maxNewTokens: 6 })).text, '80°C'.repeat(2));
  await model.dispose();
}

async function aborts(release) {
  const model = await load(release, 'token a', 'endless', 'token-us 100');
  for (let round = 0; round < 3; round++) {
    for await (const chunk of model.generate('hi')) if (chunk.type === 'text') break;
  }
  const last = model.generate('hi');
  await last[Symbol.asyncIterator]().next();
  await model.dispose({ abort: true });
  assert.equal((await last).finishReason, 'abort');
}

async function calls(release) {
  const model = await load(release, 'token a');
  const { runtime } = model;
  const states = await runtime.hiddenStates({ tokenIds: Int32Array.of(1, 2, 3) });
  assert.deepEqual([states.columns, states.values.length], [8, states.rows * 8]);
  const image = { embeddings: new Float32Array(32), tokensEach: 4 };
  await model.generate({ prompt: 'What is <image>?', image }, { maxNewTokens: 1 });
  if (runtime.has('1.2.1')) assert.ok((await runtime.kvCacheSize()) > 0);
  if (runtime.has('1.2.0')) await runtime.setChatTemplate({ system: 's', prefix: 'p', postfix: 'q' });
  await model.dispose();
}

async function failures(release) {
  const refused = (code) => (error) => isRkllmError(error, code);
  await assert.rejects(load(release, 'init-code -1'), refused('RKLLM_INIT_FAILED'));
  const model = await load(release, 'token a', 'error-after 1', 'run-code -1');
  await assert.rejects(model.generate('hi').result(), refused('RKLLM_RUN_FAILED'));
  await model.dispose();
}

async function main() {
  for (const release of releases) {
    for (const step of [streams, aborts, calls, failures]) await step(release);
    console.log(`${release}: streams, aborts, answers other calls and fails as it should on ${process.arch}`);
  }
  assert.doesNotMatch(readFileSync(journal, 'utf8'), /^violation/mu);
}

process.on('exit', () => rmSync(directory, { recursive: true }));
void main();
