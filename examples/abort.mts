// Three ways to stop an answer. Each one waits until the engine is idle. Run: node examples/abort.mts
import { loadModel } from 'rkllm';

const model = await loadModel();
const question = 'Tell me a story';

// 1. Leave the loop.
for await (const text of model.generate(question).textStream) {
  console.log(`the first piece: ${text}`);
  break;
}

// 2. An AbortSignal. By default it rejects with the signal's reason, as fetch does.
const controller = new AbortController();
const answer = model.generate(question, { signal: controller.signal, onAbort: 'return' });
for await (const chunk of answer) {
  if (chunk.type === 'text') controller.abort();
  if (chunk.type === 'finish') console.log(`by signal: ${chunk.finishReason} after ${chunk.usage.outputTokens} tokens`);
}

// 3. A limit, or a text that ends the answer.
const { text, finishReason } = await model.generate(question, { maxNewTokens: 12, stop: ['\n'] });
console.log(`by limit: ${finishReason}: ${text}`);

await model.dispose();
