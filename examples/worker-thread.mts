// A model in a worker thread of the app, which streams to the main thread. Run: node examples/worker-thread.mts
// For apps that live in workers: to keep the event loop free it is not needed, the engines compute outside of it anyway.
import { once } from 'node:events';
import { parentPort as port, Worker } from 'node:worker_threads';
import { loadModel, type Model } from 'rkllm';

if (port === null) {
  const worker = new Worker(new URL(import.meta.url));
  worker.on('message', (text: string) => process.stdout.write(text));
  worker.postMessage('What is the RK3588?');
  worker.postMessage('What is a token?');
  worker.postMessage(null); // no more questions
  const [exitCode] = (await once(worker, 'exit')) as [number];
  console.log(`[the worker ended with ${exitCode}]`);
} else {
  const model = await loadModel();
  const answers: Promise<void>[] = [];
  port.on('message', (question: string | null) => {
    if (question !== null)
      answers.push(answer(model, question)); // a second one waits in the model's queue
    else void Promise.all(answers).then(() => end(model));
  });
}

async function answer(model: Model, question: string): Promise<void> {
  for await (const text of model.generate(question).textStream) port?.postMessage(text);
  port?.postMessage('\n');
}

async function end(model: Model): Promise<void> {
  await model.dispose();
  port?.close();
}
