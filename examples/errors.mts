// Every error has a code for the program and a hint for the person. Run: node examples/errors.mts
import { isRkllmError, loadModel } from 'rkllm';

try {
  await loadModel('./no-such-model.rkllm');
} catch (error) {
  if (!isRkllmError(error, 'RKLLM_MODEL_NOT_FOUND')) throw error;
  console.log(`${error.code}: ${error.message}`);
  console.log(`What to do: ${error.hint}`);
}
