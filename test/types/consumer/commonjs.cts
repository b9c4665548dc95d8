import rkllm = require('rkllm');
import testing = require('rkllm/testing');

async function main(): Promise<string> {
  const model = await rkllm.loadModel(undefined, { backend: testing.scripted({ reply: 'Hi' }) });
  const generation: rkllm.Generation = model.generate('Hello', { maxNewTokens: 5 });
  for await (const chunk of generation) if (chunk.type === 'text') process.stdout.write(chunk.text);
  await model.dispose();
  return generation.text();
}

main().catch((error: unknown) => {
  if (rkllm.isRkllmError(error, 'RKLLM_MODEL_NOT_FOUND')) process.stderr.write(error.hint);
});
