import { dataTypes, type OnnxGraph } from './onnx-writer.js';
import type { FloatWriter } from './phi3-floats.js';
import { layerName, type Phi3Names } from './phi3-names.js';
import type { Phi3Config } from './phi3-weights.js';

/**
 * How attention is written. `gqa`: one operator with RoPE inside, as onnxruntime-genai exports for the CPU. `gqa-positions`:
 * RoPE outside of it, by position_ids. `plain`: ONNX's own operators, which put new keys behind the past ones, as Optimum
 * exports.
 */
export type AttentionForm = 'gqa' | 'gqa-positions' | 'plain';

const microsoft = 'com.microsoft';

/** Adds what all layers share. It needs the tables, `total_length` (of the mask) and `one_scalar`. */
export function declareAttention(
  g: OnnxGraph,
  config: Phi3Config,
  names: Phi3Names,
  form: AttentionForm,
  floats: FloatWriter,
): void {
  const { heads, kvHeads, headSize } = config;
  g.initializer('one', 'int64', [1], BigInt64Array.of(1n));
  const sizes = [heads, kvHeads, kvHeads].map((count) => BigInt(count * headSize));
  if (form !== 'gqa') g.initializer('qkv_sizes', 'int64', [3], BigInt64Array.from(sizes));
  if (form === 'plain') {
    declarePlain(g, config, names, floats);
    return;
  }
  g.node('ReduceSum', [names.attentionMask, 'one'], ['mask_sum'], { keepdims: 0 });
  g.node('Sub', ['mask_sum', 'one'], ['last_position']);
  g.node('Cast', ['last_position'], ['seqlens_k'], { to: dataTypes.int32 });
  g.node('Cast', ['total_length'], ['total_seq_len'], { to: dataTypes.int32 });
}

/** @returns the output of layer `index` for its packed queries, keys and values. */
export function attend(
  g: OnnxGraph,
  config: Phi3Config,
  names: Phi3Names,
  form: AttentionForm,
  index: number,
  qkv: string,
): string {
  const at = `layers.${index}`;
  if (form === 'plain') return attendPlain(g, names, index, qkv);
  const past = [layerName(names.pastKey, index), layerName(names.pastValue, index)];
  const tables = ['cos_cache', 'sin_cache'];
  let packed = [qkv, '', ''];
  if (form === 'gqa-positions') {
    g.node('Split', [qkv, 'qkv_sizes'], [`${at}.q`, `${at}.k`, `${at}.v`], { axis: -1 });
    const rotate = (name: string): string =>
      g.node('RotaryEmbedding', [name, names.positionIds, ...tables], [`${name}.rotated`], {}, microsoft);
    packed = [rotate(`${at}.q`), rotate(`${at}.k`), `${at}.v`];
  }
  const rotary = form === 'gqa';
  return g.node(
    'GroupQueryAttention',
    [...packed, ...past, 'seqlens_k', 'total_seq_len', ...(rotary ? tables : [])],
    [`${at}.attention`, layerName(names.presentKey, index), layerName(names.presentValue, index)],
    {
      num_heads: config.heads,
      kv_num_heads: config.kvHeads,
      do_rotary: Number(rotary),
      scale: { float: 1 / Math.sqrt(config.headSize) },
    },
    microsoft,
  );
}

/** Rows of the tables, and which keys a query must not see: later ones and masked ones. */
function declarePlain(g: OnnxGraph, config: Phi3Config, names: Phi3Names, floats: FloatWriter): void {
  const { heads, kvHeads, headSize } = config;
  const shape = (name: string, ...dims: number[]): string =>
    g.initializer(name, 'int64', [dims.length], BigInt64Array.from(dims, BigInt));
  shape('query_shape', 0, 0, heads, headSize);
  shape('key_shape', 0, 0, kvHeads, headSize);
  shape('output_shape', 0, 0, heads * headSize);
  shape('axis_2_3', 1, 2);
  shape('axis_1_3', 1, 3);
  g.initializer('zero_scalar', 'int64', [], BigInt64Array.of(0n));
  const group = heads / kvHeads;
  g.initializer(
    'head_of_query',
    'int64',
    [heads],
    BigInt64Array.from({ length: heads }, (_, i) => BigInt(Math.floor(i / group))),
  );
  const scalar = (name: string, value: number): string =>
    g.initializer(name, floats.format, [], floats.bits(Float32Array.of(value)));
  scalar('attention_scale', 1 / Math.sqrt(headSize));
  scalar('blocked', -60_000);
  scalar('open', 0);
  for (const table of ['cos', 'sin']) {
    g.node('Gather', [`${table}_cache`, names.positionIds], [`${table}_rows`], { axis: 0 });
    g.node('Unsqueeze', [`${table}_rows`, 'one'], [table]);
  }
  g.node('Range', ['zero_scalar', 'total_length', 'one_scalar'], ['key_positions']);
  g.node('Unsqueeze', [names.positionIds, 'axis_1_3'], ['query_positions']);
  g.node('Greater', ['key_positions', 'query_positions'], ['is_later']);
  g.node('Unsqueeze', [names.attentionMask, 'axis_2_3'], ['mask_of_keys']);
  g.node('Equal', ['mask_of_keys', 'zero_scalar'], ['is_masked']);
  g.node('Or', ['is_later', 'is_masked'], ['is_blocked']);
  g.node('Where', ['is_blocked', 'blocked', 'open'], ['attention_bias']);
}

function attendPlain(g: OnnxGraph, names: Phi3Names, index: number, qkv: string): string {
  const at = `layers.${index}`;
  g.node('Split', [qkv, 'qkv_sizes'], [`${at}.q`, `${at}.k`, `${at}.v`], { axis: -1 });
  const byHead = (name: string, shape: string): string => {
    g.node('Reshape', [name, shape], [`${name}.split`]);
    return transpose(g, `${name}.split`, `${name}.heads`, [0, 2, 1, 3]);
  };
  const query = rotatePlain(g, byHead(`${at}.q`, 'query_shape'));
  const newKeys = rotatePlain(g, byHead(`${at}.k`, 'key_shape'));
  const newValues = byHead(`${at}.v`, 'key_shape');
  const [pastKey, pastValue] = [layerName(names.pastKey, index), layerName(names.pastValue, index)];
  const keys = g.node('Concat', [pastKey, newKeys], [layerName(names.presentKey, index)], { axis: 2 });
  const values = g.node('Concat', [pastValue, newValues], [layerName(names.presentValue, index)], { axis: 2 });
  g.node('Gather', [keys, 'head_of_query'], [`${at}.keys`], { axis: 1 });
  g.node('Gather', [values, 'head_of_query'], [`${at}.values`], { axis: 1 });
  transpose(g, `${at}.keys`, `${at}.keys.columns`, [0, 1, 3, 2]);
  g.node('MatMul', [query, `${at}.keys.columns`], [`${at}.products`]);
  g.node('Mul', [`${at}.products`, 'attention_scale'], [`${at}.scaled`]);
  g.node('Add', [`${at}.scaled`, 'attention_bias'], [`${at}.scores`]);
  g.node('Softmax', [`${at}.scores`], [`${at}.weights`], { axis: -1 });
  g.node('MatMul', [`${at}.weights`, `${at}.values`], [`${at}.mixed`]);
  transpose(g, `${at}.mixed`, `${at}.rows`, [0, 2, 1, 3]);
  return g.node('Reshape', [`${at}.rows`, 'output_shape'], [`${at}.attention`]);
}

function rotatePlain(g: OnnxGraph, name: string): string {
  g.node('Split', [name], [`${name}.a`, `${name}.b`], { axis: -1, num_outputs: 2 });
  const product = (half: 'a' | 'b', table: 'cos' | 'sin'): string =>
    g.node('Mul', [`${name}.${half}`, table], [`${name}.${half}.${table}`]);
  g.node('Sub', [product('a', 'cos'), product('b', 'sin')], [`${name}.first`]);
  g.node('Add', [product('b', 'cos'), product('a', 'sin')], [`${name}.second`]);
  return g.node('Concat', [`${name}.first`, `${name}.second`], [`${name}.rotated`], { axis: -1 });
}

function transpose(g: OnnxGraph, input: string, output: string, order: readonly number[]): string {
  return g.node('Transpose', [input], [output], { perm: { integers: order } });
}
