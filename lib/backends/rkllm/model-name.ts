import path from 'node:path';

/** What the name of a model's file says. It may be wrong: whoever converted the model has written it. */
export interface ModelName {
  /** Such as `'phi-3'`, `'qwen2.5'` or `'deepseek-r1-distill-qwen'`. */
  readonly family: string | undefined;
  /** Parameters, such as `'1.5b'`. */
  readonly size: string | undefined;
  /** What it was converted for, such as `'RK3588'` or `'RK3588S'`. */
  readonly chip: string | undefined;
  /** Such as `'w8a8'`, `'w8a8_g128'` or `'fp16'`. */
  readonly quantization: string | undefined;
  /** The converter's optimization level, 0 or 1. */
  readonly optimization: number | undefined;
  /** The part of it that is quantized in groups, from 0 to 1. */
  readonly hybridRatio: number | undefined;
  /** The release of the converter or the runtime, such as `'1.1.4'`. */
  readonly release: string | undefined;
  /** Tokens. */
  readonly contextLength: number | undefined;
}

/**
 * Reads the names that converters and those who publish models give them, in any order and spelling:
 * `Phi-3-mini-4k-instruct-rk3588-w8a8_g128-opt-1-hybrid-ratio-0.5`, `DeepSeek-R1-Distill-Qwen-1.5B_W8A8_RK3588`. What
 * the file's name leaves out may be in its folder's: `Qwen2.5-3B-Instruct-RK3588S-RKLLM1.1.4`.
 */
export function parseModelName(file: string): ModelName {
  const [ofFile, ...ofFolders] = namesIn(file).map(parse);
  const first = <K extends keyof ModelName>(key: K): ModelName[K] =>
    [ofFile, ...ofFolders].find((name) => name?.[key] !== undefined)?.[key];
  return {
    family: first('family'),
    size: first('size'),
    chip: first('chip'),
    quantization: first('quantization'),
    optimization: first('optimization'),
    hybridRatio: first('hybridRatio'),
    release: first('release'),
    contextLength: first('contextLength'),
  };
}

/** The file's, its folder's, and the repository's where Hugging Face's tools keep it for everybody. */
function namesIn(file: string): string[] {
  const parts = file.split(/[/\\]/u).filter((part) => part !== '');
  const name = (parts.pop() ?? '').replace(/\.rkllm$/iu, '');
  const repository = parts.filter((part) => part.startsWith('models--')).at(-1);
  return [name, parts.at(-1) ?? '', repository?.split('--').at(-1) ?? ''];
}

function parse(name: string): ModelName {
  // InternLM's authors write 1.8b so, others that of version 3 with 8b.
  const text = name.toLowerCase().replace(/(?<=-\d)_(?=\db(?![a-z\d]))/u, '.');
  return {
    family: familyIn(text.replaceAll('_', '-')),
    size: sizeIn(text),
    chip: /(?<![a-z\d])r[kv]\d{4}[a-z]?\d?(?![a-z\d])/u.exec(text)?.[0].toUpperCase(),
    quantization: quantizationIn(text),
    optimization: numberIn(text, /(?<![a-z\d])(?:opt(?:imization)?(?:[-_]?level)?|level)[-_]?(\d)(?![a-z\d.])/u),
    hybridRatio: numberIn(text, /(?<![a-z\d])hybrid(?:[-_]?(?:ratio|rate))?[-_]?([01](?:\.\d+)?)(?![a-z\d])/u),
    release: releaseIn(text),
    contextLength: contextIn(text),
  };
}

function numberIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** `w8a8_g128`, `W4A16-G64`, `w8a8g128`. */
function quantizationIn(text: string): string | undefined {
  const match = /(?<![a-z\d])(w\d+a\d+)(?:[-_]?(g\d+))?(?![a-z\d])/u.exec(text);
  if (match !== null) return match.slice(1).filter(Boolean).join('_');
  return /(?<![a-z\d])(?:fp16|float16)(?![a-z\d])/u.test(text) ? 'fp16' : undefined;
}

/** `1.5b`, `500m`, `e2b` as Gemma has it. */
function sizeIn(text: string): string | undefined {
  return /(?<![a-z\d.])e?\d+(?:\.\d+)?[bm](?![a-z\d])/u.exec(text)?.[0];
}

/** With a `v` or `rkllm` before it any release; without, those that there have been. */
function releaseIn(text: string): string | undefined {
  const marked =
    /(?<![a-z\d])(?:v|rkllm(?:[-_]?(?:toolkit|runtime))?[-_]?v?)[-_]?(\d+\.\d+\.\d+(?:b\d+)?)(?![a-z\d.]*\d)/u;
  const bare = /(?<![a-z\d.])(1\.[0-3]\.\d(?:b\d+)?)(?![a-z\d.]*\d)/u;
  return (marked.exec(text) ?? bare.exec(text))?.[1];
}

/** `ctx4096`, `max_context-16384`, `seqlen2048`; `4k` as models that have several have it. */
function contextIn(text: string): number | undefined {
  const match =
    /(?<![a-z\d])(?:max[-_]?)?(?:ctx|context|seq)(?:[-_]?len(?:gth)?)?[-_]?(\d{1,7})(k?)(?![a-z\d])/u.exec(text) ??
    /(?<![a-z\d])(\d{1,7})(k?)[-_]?(?:ctx|context)(?![a-z\d])/u.exec(text) ??
    /(?<![a-z\d.])(\d{1,4})(k)(?![a-z\d])/u.exec(text);
  return match === null ? undefined : Number(match[1]) * (match[2] === 'k' ? 1024 : 1);
}

/** What comes first is preferred: a name may have several. `joint` is what stands before the version. */
const families: readonly { readonly name: string; readonly joint: string; readonly pattern?: string }[] = [
  { name: 'deepseek-r1-distill-qwen', joint: '' },
  { name: 'deepseek-r1-distill-llama', joint: '' },
  { name: 'deepseek-ocr', joint: '' },
  { name: 'deepseek-coder', joint: '' },
  { name: 'deepseek', joint: '-', pattern: 'deepseek(?:-llm|-math)?' },
  { name: 'tinyllama', joint: '' },
  { name: 'zephyr', joint: '' },
  { name: 'llama', joint: '-' },
  { name: 'phi', joint: '-' },
  { name: 'qwen', joint: '' },
  { name: 'gemma', joint: '-' },
  { name: 'internlm', joint: '' },
  { name: 'internvl', joint: '' },
  { name: 'minicpm-v', joint: '-' },
  { name: 'minicpm', joint: '' },
  { name: 'chatglm', joint: '' },
  { name: 'glm-edge', joint: '' },
  { name: 'mistral', joint: '' },
  { name: 'smollm', joint: '' },
  { name: 'smolvlm', joint: '' },
  { name: 'rwkv', joint: '' },
  { name: 'telechat', joint: '' },
  { name: 'janus-pro', joint: '' },
  { name: 'exaone', joint: '-' },
  { name: 'hunyuan', joint: '' },
];

/** A number that is not followed by `b` or `m`: that would be the size. */
const version = String.raw`(?:-?v?(\d+(?:\.\d+)?n?)(?![\d.]*[bmk](?![a-z])|[\d.]))?`;

const patterns = families.map(({ name, joint, pattern = name }) => ({
  name,
  joint,
  expression: new RegExp(`(?<![a-z])${pattern}${version}`, 'u'),
}));

function familyIn(text: string): string | undefined {
  for (const { name, joint, expression } of patterns) {
    const match = expression.exec(text);
    if (match !== null) return match[1] === undefined ? name : `${name}${joint}${match[1]}`;
  }
  return undefined;
}

/** Short name of a model: its file's without the extension. */
export function shortNameOf(file: string): string {
  return path.basename(file).replace(/\.rkllm$/iu, '');
}
