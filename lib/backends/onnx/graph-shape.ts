import type { InferenceSession } from 'onnxruntime-node';
import { RkllmError } from '../../errors.js';
import { logitsToKeep } from './graph-names.js';
import type { ModelLayout } from './layout.js';
import type { FloatType } from './half-floats.js';

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
  /** Of keys and values. */
  readonly kvType: FloatType;
  readonly vocabularySize: number;
  readonly logitsType: FloatType;
  /** Of token ids, mask and positions. */
  readonly idType: 'int64' | 'int32';
  readonly hasAttentionMask: boolean;
  readonly hasPositionIds: boolean;
  readonly hasLogitsToKeep: boolean;
}

type TensorInfo = InferenceSession.TensorValueMetadata;

/** Compares the graph with what its configuration promises. */
export function readGraphShape(session: InferenceSession, layout: ModelLayout): GraphShape {
  const { names } = layout;
  const values = new Map([...session.inputMetadata, ...session.outputMetadata].map((value) => [value.name, value]));
  const tensor = (name: string): TensorInfo => {
    const value = values.get(name);
    if (value?.isTensor !== true) throw invalid(layout, `it has no tensor ${name}`, session);
    return value;
  };
  const isInput = (name: string): boolean => session.inputNames.includes(name);
  if (!isInput(names.inputIds) && isInput('inputs_embeds')) throw split(layout, session);
  const idType = requireType(layout, tensor(names.inputIds), ['int64', 'int32']);
  for (const name of [names.attentionMask, names.positionIds]) {
    if (isInput(name)) requireType(layout, tensor(name), [idType]);
  }
  if (isInput(logitsToKeep)) requireType(layout, tensor(logitsToKeep), ['int64']);
  const kvType = requireType(layout, tensor(layerName(names.pastKey, 0)), floatTypes);
  const layers: LayerNames[] = [];
  for (let i = 0; values.has(layerName(names.pastKey, i)); i++) {
    const layer = {
      pastKey: layerName(names.pastKey, i),
      pastValue: layerName(names.pastValue, i),
      presentKey: layerName(names.presentKey, i),
      presentValue: layerName(names.presentValue, i),
    };
    for (const name of Object.values(layer)) requireType(layout, tensor(name), [kvType]);
    layers.push(layer);
  }
  const key = tensor(layerName(names.pastKey, 0));
  const kvHeads = key.shape[1];
  const headSize = typeof key.shape[3] === 'number' ? key.shape[3] : layout.headSize;
  const logits = tensor(names.logits);
  const vocabularySize = logits.shape.at(-1);
  if (typeof kvHeads !== 'number' || headSize === undefined)
    throw invalid(layout, 'its KV cache has no fixed shape', session);
  if (typeof vocabularySize !== 'number') throw invalid(layout, 'its logits have no fixed width', session);
  const fed = new Set([names.inputIds, names.attentionMask, names.positionIds, logitsToKeep]);
  for (const { pastKey, pastValue } of layers) fed.add(pastKey).add(pastValue);
  const unknown = session.inputNames.find((name) => !fed.has(name));
  if (unknown !== undefined) throw invalid(layout, `its input ${unknown} is not known`, session);
  return {
    layers,
    kvHeads,
    headSize,
    kvType,
    vocabularySize,
    logitsType: requireType(layout, logits, floatTypes),
    idType,
    hasAttentionMask: isInput(names.attentionMask),
    hasPositionIds: isInput(names.positionIds),
    hasLogitsToKeep: isInput(logitsToKeep),
  };
}

const floatTypes = ['float32', 'float16'] as const;

function layerName(pattern: string, layer: number): string {
  return pattern.replace('%d', String(layer));
}

/** @returns which of the types it has. */
function requireType<T extends string>(layout: ModelLayout, value: TensorInfo, expected: readonly T[]): T {
  const found = expected.find((type) => type === value.type);
  if (found !== undefined) return found;
  throw new RkllmError(
    'RKLLM_MODEL_INVALID',
    `${layout.modelFile} cannot be used: ${value.name} is ${value.type}, but the CPU backend needs ${expected.join(' or ')}.`,
    {
      hint: 'Use an int4, int8, fp16 or fp32 export for the CPU.',
      details: { path: layout.modelFile, tensor: value.name, type: value.type },
    },
  );
}

/** Of multimodal models: the text decoder is one of several graphs. */
function split(layout: ModelLayout, session: InferenceSession): RkllmError {
  return new RkllmError(
    'RKLLM_MODEL_INVALID',
    `${layout.modelFile} is only a part of a model: it takes embeddings (inputs_embeds), which another graph computes from tokens.`,
    {
      hint: 'Use a text model whose graph takes input_ids; models with images or in several graphs cannot be used.',
      details: { path: layout.modelFile, inputs: session.inputNames.slice(0, 8) },
    },
  );
}

function invalid(layout: ModelLayout, reason: string, session: InferenceSession): RkllmError {
  return new RkllmError(
    'RKLLM_MODEL_INVALID',
    `${layout.modelFile} is not a text decoder with a KV cache: ${reason}.`,
    {
      hint: 'Use a text generation model exported with its KV cache, for onnxruntime-genai or transformers.js.',
      details: {
        path: layout.modelFile,
        inputs: session.inputNames.slice(0, 8),
        outputs: session.outputNames.slice(0, 8),
      },
    },
  );
}
