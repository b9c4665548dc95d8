import { isRkllmError, loadModel, type Chunk, type Model, type RkllmErrorCode } from 'rkllm';
import { scripted, type Script } from 'rkllm/testing';

const script: Script = { reply: 'Hi' };
const model: Model = await loadModel(undefined, { backend: scripted(script) });
const chunks: Chunk[] = [];
for await (const chunk of model.generate('Hello')) chunks.push(chunk);
const code: RkllmErrorCode | undefined = await model
  .generate('Hello')
  .result()
  .then(
    () => undefined,
    (error: unknown) => (isRkllmError(error) ? error.code : undefined),
  );
// @ts-expect-error -- options are checked through the package's own declarations too
model.generate('Hello', { maxTokens: 5 });
process.stdout.write(code ?? 'ok');
await model.dispose();
