import { onAbort } from './abort-listeners.js';
import type { BackendModel } from './backends/backend.js';
import { readRun } from './read-run.js';

const prompt = 'Hi';

/**
 * Has the model write one token. What fails frees it.
 *
 * @throws what the run failed with, or the reason of the signal.
 */
export async function warmup(model: BackendModel, signal: AbortSignal | undefined): Promise<void> {
  const { batchSize = 1 } = model.capabilities;
  const rows = Array.from({ length: batchSize }, () => ({ prompt }));
  const run =
    batchSize > 1 && model.startBatch !== undefined
      ? model.startBatch({ rows, maxNewTokens: 1 })
      : model.start({ input: { type: 'text', text: prompt }, maxNewTokens: 1, sampling: {} });
  const stopListening = signal && onAbort(signal, () => run.abort());
  try {
    // It is stopped where the engine takes no limit.
    await readRun(run, () => run.abort());
    signal?.throwIfAborted();
  } catch (error) {
    await model.dispose();
    throw error;
  } finally {
    stopListening?.();
  }
}
