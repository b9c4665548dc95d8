/** Writes the models of the golden cases for transformers: `node build/tools/onnx/golden/write-weights.js DIRECTORY`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Phi3Weights } from '../phi3-weights.js';
import { makeRandomModel, writeJson } from '../random-model.js';
import { transformersConfig } from '../write-huggingface-model.js';
import { goldenCases, goldenTokens } from './cases.js';

/** Under the names of transformers' Phi3ForCausalLM. */
function named(weights: Phi3Weights): [name: string, values: Float32Array][] {
  const join = (...parts: Float32Array[]): Float32Array => Float32Array.from(parts.flatMap((part) => [...part]));
  const layers = weights.layers.flatMap((layer, i): [string, Float32Array][] =>
    Object.entries({
      'input_layernorm.weight': layer.inputNorm,
      'self_attn.qkv_proj.weight': layer.qkv,
      'self_attn.o_proj.weight': layer.attentionOutput,
      'post_attention_layernorm.weight': layer.postAttentionNorm,
      'mlp.gate_up_proj.weight': join(layer.gate, layer.up),
      'mlp.down_proj.weight': layer.down,
    }).map(([name, values]) => [`model.layers.${i}.${name}`, values]),
  );
  return [
    ['model.embed_tokens.weight', weights.embedding],
    ...layers,
    ['model.norm.weight', weights.finalNorm],
    ['lm_head.weight', weights.head],
  ];
}

const root = process.argv[2] ?? 'golden-models';
for (const { name, model, prompt } of goldenCases) {
  const { config, weights } = makeRandomModel(model);
  const directory = path.join(root, name);
  mkdirSync(directory, { recursive: true });
  const tensors = named(weights);
  writeJson(directory, 'config.json', transformersConfig(config, model.longRope));
  writeJson(directory, 'case.json', {
    prompt,
    tokens: goldenTokens,
    weights: tensors.map(([tensor, values]) => ({ tensor, length: values.length })),
  });
  writeFileSync(
    path.join(directory, 'weights.f32'),
    Buffer.concat(tensors.map(([, values]) => Buffer.from(values.buffer, values.byteOffset, values.byteLength))),
  );
}
