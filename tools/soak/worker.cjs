/**
 * A worker thread that uses a model until it is terminated. CommonJS: Node.js reads ES modules asynchronously, and leaves
 * the file open when the thread is terminated meanwhile.
 */
const { parentPort, workerData } = require('node:worker_threads');
const { loadModel } = require('../../dist/index.js');

async function main({ file, runtimePath, isolation, prompt }) {
  const model = await loadModel(file, { runtimePath, template: 'none', isolation });
  const generation = model.generate(prompt);
  parentPort.postMessage('there');
  await generation;
  setInterval(() => model.state, 60_000);
}

void main(workerData);
