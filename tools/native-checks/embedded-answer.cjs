/**
 * What the embedded model of the installed package answers, and in which tokens: the same on every machine.
 *   node tools/native-checks/embedded-answer.cjs DIRECTORY     has the package in its node_modules
 */
const { createRequire } = require('node:module');
const path = require('node:path');
const { loadModel } = createRequire(path.resolve(process.argv[2], 'app.js'))('rkllm');

async function main() {
  const model = await loadModel(undefined, { backend: 'onnx', temperature: 0 });
  const { text, usage } = await model.generate('What can you do?', { maxNewTokens: 12 });
  await model.dispose();
  console.log(JSON.stringify({ text, ...usage }));
}

void main();
