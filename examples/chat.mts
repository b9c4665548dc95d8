// A conversation in the terminal: each turn remembers the earlier ones. Run: node examples/chat.mts [path of a model]
import { createInterface } from 'node:readline';
import { loadModel } from 'rkllm';

const model = await loadModel(process.argv[2]);
const chat = model.chat({ system: 'You are a helpful assistant.' });
const questions = createInterface({ input: process.stdin });

process.stdout.write(`${model.info.name} on ${model.info.backend}. End with an empty line.\n> `);
for await (const question of questions) {
  if (question.trim() === '') break;
  for await (const text of chat.send(question).textStream) process.stdout.write(text);
  process.stdout.write('\n> ');
}

questions.close();
await model.dispose();
