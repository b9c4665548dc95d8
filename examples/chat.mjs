// A conversation in the terminal: each turn remembers the earlier ones. Run: node examples/chat.mjs [path of a model]
import { createInterface } from 'node:readline/promises';
import { loadModel } from 'rkllm';

const model = await loadModel(process.argv[2]);
const chat = model.chat({ system: 'You are a helpful assistant.' });
const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });

console.log(`${model.info.name} on ${model.info.backend}. End with an empty line.`);
terminal.prompt();
for await (const question of terminal) {
  if (question.trim() === '') break;
  for await (const text of chat.send(question).textStream) process.stdout.write(text);
  process.stdout.write('\n');
  terminal.prompt();
}

terminal.close();
await model.dispose();
