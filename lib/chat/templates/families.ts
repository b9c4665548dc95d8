import { parseModelName } from '../../backends/rkllm/model-name.js';
import { chatml, internlm2, qwen2, qwen25, qwen3 } from './chatml.js';
import { deepseek } from './deepseek.js';
import type { Family } from './family.js';
import { gemma } from './gemma.js';
import { llama3, llama31 } from './llama3.js';
import { minicpm } from './minicpm.js';
import { phi3 } from './phi3.js';
import { zephyr } from './zephyr.js';

/** The built-in templates, in the order in which they are listed. */
export const families: readonly Family[] = [
  phi3,
  chatml,
  qwen2,
  qwen25,
  qwen3,
  llama3,
  llama31,
  gemma,
  deepseek,
  minicpm,
  internlm2,
  zephyr,
];

/** By what `parseModelName()` calls the model's family. What is not listed is not known. */
const templatesOf: readonly (readonly [models: RegExp, family: Family])[] = [
  [/^phi-3(?:\.5)?$/u, phi3],
  [/^qwen(?:1\.5|2)$/u, qwen2],
  [/^qwen2\.5$/u, qwen25],
  [/^qwen3$/u, qwen3],
  [/^llama-3$/u, llama3],
  [/^llama-3\.[1-3]$/u, llama31],
  [/^gemma(?:-[123]n?)?$/u, gemma],
  [/^deepseek-r1-distill-(?:qwen|llama)$/u, deepseek],
  [/^minicpm[12]?$/u, minicpm],
  [/^minicpm[34]$/u, chatml],
  [/^internlm2(?:\.5)?$/u, internlm2],
  [/^(?:tinyllama|zephyr)$/u, zephyr],
];

/** Models of these families that were trained on another prompt, or on none. */
const others = /(?<![a-z])(?:math|thinking|embedding|reranker|guard|prm|omni|vl|vision|base|0528)(?![a-z])/iu;

/** The built-in template of the family that a model's name speaks of. */
export function familyOf(path: string): Family | undefined {
  const { family } = parseModelName(path);
  const file = path.split(/[/\\]/u).at(-1) ?? '';
  const speaks = parseModelName(file).family === undefined ? path : file;
  if (family === undefined || others.test(speaks)) return undefined;
  return templatesOf.find(([models]) => models.test(family))?.[1];
}
