// Streams an answer, then says how it ended. Run: node examples/stream.mts [path of a model]
import { loadModel } from 'rkllm';

const model = await loadModel(process.argv[2]);

const generation = model.generate('What is the RK3588?');
for await (const text of generation.textStream) process.stdout.write(text);

const { finishReason, usage } = await generation;
console.log(`\n[${finishReason}, ${usage.outputTokens} tokens]`);

await model.dispose();
