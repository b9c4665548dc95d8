import { inBytes } from '../../checks/check.js';
import type { MemoryNeed } from '../../checks/resources.js';
import type { ModelName } from './model-name.js';

/** How large a token's keys and values are, in floats of two bytes: layers × (heads of keys × width of a head) × 2. */
interface Shape {
  readonly family: RegExp;
  /** Undefined: the family has only one of which it is known. */
  readonly size?: string;
  readonly layers: number;
  readonly width: number;
}

/** From the published configurations of the models. */
const shapes: readonly Shape[] = [
  { family: /^phi-3(?:\.5)?$/u, layers: 32, width: 3072 },
  { family: /^phi-4$/u, layers: 32, width: 1024 },
  { family: /^phi-2$/u, layers: 32, width: 2560 },
  { family: /^qwen3$/u, size: '0.6b', layers: 28, width: 1024 },
  { family: /^qwen3$/u, size: '1.7b', layers: 28, width: 1024 },
  { family: /^qwen3$/u, size: '4b', layers: 36, width: 1024 },
  { family: /^qwen3$/u, size: '8b', layers: 36, width: 1024 },
  { family: /^qwen2(?:\.5)?$/u, size: '0.5b', layers: 24, width: 128 },
  { family: /^(?:qwen2(?:\.5)?|deepseek-r1-distill-qwen)$/u, size: '1.5b', layers: 28, width: 256 },
  { family: /^qwen2\.5$/u, size: '3b', layers: 36, width: 256 },
  { family: /^(?:qwen2(?:\.5)?|deepseek-r1-distill-qwen)$/u, size: '7b', layers: 28, width: 512 },
  { family: /^llama-3\.2$/u, size: '1b', layers: 16, width: 512 },
  { family: /^llama-3\.2$/u, size: '3b', layers: 28, width: 1024 },
  { family: /^(?:llama-3(?:\.1)?|deepseek-r1-distill-llama)$/u, size: '8b', layers: 32, width: 1024 },
  { family: /^tinyllama$/u, layers: 22, width: 256 },
  { family: /^gemma-2$/u, size: '2b', layers: 26, width: 1024 },
];

/** Half-precision floats: 147,472 bytes a token were seen of a 4B Qwen3, whose 36 layers of 1024 would have 147,456. */
const bytesPerFloat = 2;
const keysAndValues = 2;

/** Of models that are not in the table. */
const fractionOfFile = 0.25;

/**
 * What a model will need: its file, and the keys and values of a full context. The rest of the runtime is left out, and so
 * are embeddings that it reads from the file when it needs them: an estimate, not a measurement.
 */
export function memoryNeedOf(fileBytes: number, { family, size }: ModelName, contextLength: number): MemoryNeed {
  const shape = shapes.find(
    (known) => family !== undefined && known.family.test(family) && (known.size ?? size) === size,
  );
  if (shape === undefined) {
    const basis = `its file of ${inBytes(fileBytes)} and a quarter for the context, as its layers are not known`;
    return { bytes: Math.round(fileBytes * (1 + fractionOfFile)), basis };
  }
  const context = contextLength * shape.layers * shape.width * keysAndValues * bytesPerFloat;
  const basis = `its file of ${inBytes(fileBytes)} and ${inBytes(context)} for ${contextLength} tokens of context`;
  return { bytes: fileBytes + context, basis };
}
