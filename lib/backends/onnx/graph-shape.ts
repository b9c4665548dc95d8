import type { InferenceSession } from 'onnxruntime-node';
import { RkllmError } from '../../errors.js';
import type { ModelLayout } from './layout.js';

/** Inputs and outputs of one attention layer. */
interface LayerNames {
  readonly pastKey: string;
  readonly pastValue: string;
  readonly presentKey: string;
  readonly presentValue: string;
}

/** What the graph itself says about its inputs and outputs. */
export interface GraphShape {
  readonly layers: readonly LayerNames[];
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocabularySize: number;
  readonly hasAttentionMask: boolean;
  readonly hasPositionIds: boolean;
}

/** Compares the graph with what its configuration promises. */
export function readGraphShape(session: InferenceSession, layout: ModelLayout): GraphShape {
  const { names } = layout;
  const values = new Map([...session.inputMetadata, ...session.outputMetadata].map((value) => [value.name, value]));
  const tensor = (name: string): InferenceSession.TensorValueMetadata => {
    const value = values.get(name);
    if (value?.isTensor !== true) throw invalid(layout, `it has no tensor ${name}`, session);
    return value;
  };
  requireType(layout, tensor(names.inputIds), 'int64');
  for (const name of [names.attentionMask, names.positionIds]) {
    if (session.inputNames.includes(name)) requireType(layout, tensor(name), 'int64');
  }
  const layers: LayerNames[] = [];
  for (let i = 0; values.has(layerName(names.pastKey, i)); i++) {
    const layer = {
      pastKey: layerName(names.pastKey, i),
      pastValue: layerName(names.pastValue, i),
      presentKey: layerName(names.presentKey, i),
      presentValue: layerName(names.presentValue, i),
    };
    for (const name of Object.values(layer)) requireType(layout, tensor(name), 'float32');
    layers.push(layer);
  }
  const key = tensor(layerName(names.pastKey, 0));
  const kvHeads = key.shape[1];
  const headSize = typeof key.shape[3] === 'number' ? key.shape[3] : layout.headSize;
  const logits = tensor(names.logits);
  requireType(layout, logits, 'float32');
  const vocabularySize = logits.shape.at(-1);
  if (typeof kvHeads !== 'number' || headSize === undefined)
    throw invalid(layout, 'its KV cache has no fixed shape', session);
  if (typeof vocabularySize !== 'number') throw invalid(layout, 'its logits have no fixed width', session);
  const fed = new Set([names.inputIds, names.attentionMask, names.positionIds]);
  for (const { pastKey, pastValue } of layers) fed.add(pastKey).add(pastValue);
  const unknown = session.inputNames.find((name) => !fed.has(name));
  if (unknown !== undefined) throw invalid(layout, `its input ${unknown} is not known`, session);
  return {
    layers,
    kvHeads,
    headSize,
    vocabularySize,
    hasAttentionMask: session.inputNames.includes(names.attentionMask),
    hasPositionIds: session.inputNames.includes(names.positionIds),
  };
}

function layerName(pattern: string, layer: number): string {
  return pattern.replace('%d', String(layer));
}

function requireType(
  layout: ModelLayout,
  value: InferenceSession.TensorValueMetadata,
  expected: 'float32' | 'int64',
): void {
  if (value.type === expected) return;
  throw new RkllmError(
    'RKLLM_MODEL_INVALID',
    `${layout.modelFile} cannot be used: ${value.name} is ${value.type}, but the CPU backend needs ${expected}.`,
    {
      hint: 'Use an int4, int8 or fp32 export for the CPU. Exports for CUDA, DirectML or WebGPU compute in float16.',
      details: { path: layout.modelFile, tensor: value.name, type: value.type },
    },
  );
}

function invalid(layout: ModelLayout, reason: string, session: InferenceSession): RkllmError {
  return new RkllmError(
    'RKLLM_MODEL_INVALID',
    `${layout.modelFile} is not a text decoder with a KV cache: ${reason}.`,
    {
      hint: 'Use a text generation model exported for onnxruntime-genai with its KV cache.',
      details: {
        path: layout.modelFile,
        inputs: session.inputNames.slice(0, 8),
        outputs: session.outputNames.slice(0, 8),
      },
    },
  );
}
