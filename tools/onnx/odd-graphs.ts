import { OnnxGraph } from './onnx-writer.js';

/** Graphs that are valid, and no text decoders with a KV cache. */
export type OddGraph = 'encoder' | 'embeddings-split' | 'unknown-operator' | 'unknown-input';

export function buildOddGraph(kind: OddGraph): Uint8Array {
  const g = new OnnxGraph();
  const weights = (rows: number): string => g.initializer('weights', 'float32', [rows, 8], new Float32Array(8 * rows));
  const isSplit = kind === 'embeddings-split';
  const input = isSplit
    ? g.input('inputs_embeds', 'float32', ['batch', 'tokens', 8])
    : g.input('input_ids', 'int64', ['batch', 'tokens']);
  if (isSplit) g.node('MatMul', [input, weights(8)], ['hidden']);
  else g.node('Gather', [weights(20), input], ['hidden'], { axis: 0 });
  if (kind === 'encoder') {
    g.output('last_hidden_state', 'float32', ['batch', 'tokens', 8]);
    g.node('Identity', ['hidden'], ['last_hidden_state']);
    return g.finish('rkllm-tools').model;
  }
  for (const side of ['key', 'value']) {
    const past = g.input(`past_key_values.0.${side}`, 'float32', ['batch', 1, 'past', 8]);
    g.output(`present.0.${side}`, 'float32', ['batch', 1, 'past', 8]);
    g.node('Identity', [past], [`present.0.${side}`]);
  }
  if (kind === 'unknown-input') {
    g.input('use_cache_branch', 'bool', [1]);
    g.node('Cast', ['use_cache_branch'], ['unused'], { to: 1 });
  }
  const domain = kind === 'unknown-operator' ? 'com.microsoft' : '';
  g.node(kind === 'unknown-operator' ? 'OperatorOfTomorrow' : 'Identity', ['hidden'], ['logits'], {}, domain);
  g.output('logits', 'float32', ['batch', 'tokens', 8]);
  return g.finish('rkllm-tools').model;
}
