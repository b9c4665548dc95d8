// Functions that a model may call. Run: node examples/tools.mts [path of a model]
// Without a path a script plays the model: the embedded one is too small to call anything.
import { loadModel, type Tool } from 'rkllm';
import { scripted } from 'rkllm/testing';

const temperature: Tool = {
  name: 'temperature',
  description: 'Tells the temperature of a room in degrees Celsius.',
  parameters: { type: 'object', properties: { room: { enum: ['kitchen', 'attic'] } }, required: ['room'] },
  run: ({ room }: { room: 'kitchen' | 'attic' }) => ({ room, celsius: { kitchen: 21, attic: 9 }[room] }),
};

const calls = '<tool_call>{"name": "temperature", "arguments": {"room": "attic"}}</tool_call>';
const script = scripted({ replies: [calls, 'It is cold up there, nine degrees.'] });
const [path] = process.argv.slice(2);
const model = await (path === undefined ? loadModel(undefined, { backend: script }) : loadModel(path));

const run = model.chat().run('Do I need a coat in the attic?', { tools: [temperature], maxSteps: 4 });
for await (const chunk of run) {
  if (chunk.type === 'text') process.stdout.write(chunk.text);
  if (chunk.type === 'tool-result') console.log(`[${chunk.result.call.name}: ${chunk.result.content}]`);
}
const { finishReason, steps } = await run;
console.log(`\n[${finishReason} after ${steps.length} steps]`);

await model.dispose();
