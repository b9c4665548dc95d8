// An app for a board with an NPU. It knows nothing of CI: there RKLLM_BACKEND=onnx lets it run as it is, see app.test.mts.
import { loadModel } from 'rkllm';

const model = await loadModel('/models/phi-3-mini.rkllm', {
  maxContextLength: 512,
  cpus: [4, 5, 6, 7], // of the RK3588; a computer without an NPU takes no notice of it
  temperature: 0,
});
const { backend, name, substituteFor } = model.info;
console.log(`[${name} on ${backend}${substituteFor === undefined ? '' : `, in place of ${substituteFor}`}]`);

for await (const text of model.generate(process.argv[2] ?? 'What is the RK3588?').textStream)
  process.stdout.write(text);
console.log();

await model.dispose();
