import type { Circumstances, Explanation, KnownLine } from './known-line.js';
import { isModelNewer, type RuntimeFacts } from './runtime-facts.js';

/** What the runtime says of a model, and of options that do not fit it. */
export const modelLines: readonly KnownLine[] = [
  {
    example: 'E RKNN: [08:48:14.826] invalid rknn llm model magic',
    pattern: /invalid rknn llm model magic/u,
    code: 'RKLLM_MODEL_INVALID',
    weight: 'cause',
    initFailed: true,
    explain: (_, circumstances) => notAModel(circumstances),
  },
  {
    example: ": invalid magic characters '\uFFFD\uFFFD'",
    pattern: /invalid magic characters/u,
    code: 'RKLLM_MODEL_INVALID',
    weight: 'cause',
    initFailed: true,
    explain: (_, circumstances) => notAModel(circumstances),
  },
  {
    example: 'E rkllm: invalid rkllm model!',
    pattern: /invalid rkllm model/u,
    code: 'RKLLM_MODEL_INVALID',
    weight: 'cause',
    initFailed: true,
    explain: (_, circumstances) => notAModel(circumstances),
  },
  {
    example: 'Warning: The model version is too old, please use the latest toolkit to reconvert the model!',
    pattern: /model version is too old/u,
    code: 'RKLLM_MODEL_INCOMPATIBLE',
    weight: 'cause',
    explain: () => ({
      summary: 'The model was converted by a toolkit that is too old for this runtime.',
      hint: 'Convert it again with the toolkit of the same release as the runtime, or get a newer file of it.',
    }),
  },
  {
    example: 'The model target_platform does not match!',
    pattern: /target_platform does not match/u,
    code: 'RKLLM_MODEL_INCOMPATIBLE',
    weight: 'symptom', // also printed for a model that is too old to say its platform
    initFailed: true,
    explain: (_, { facts }) => otherPlatform(facts),
  },
  {
    example: "E rkllm: max_context[16384] must be less than the model's max_context_limit[4096]",
    pattern: /max_context\[(?<given>\d+)\] must be less than the model's max_context_limit\[(?<limit>\d+)\]/u,
    code: 'RKLLM_INVALID_OPTION',
    weight: 'cause',
    initFailed: true,
    explain: ({ given, limit }) => ({
      summary: `A maxContextLength of ${given ?? '?'} is more than the model was converted for, ${limit ?? '?'} tokens.`,
      hint: `Load it with maxContextLength: ${limit ?? '?'} or less, or convert it with a larger max_context.`,
      details: { option: 'maxContextLength', given: Number(given), limit: Number(limit) },
    }),
  },
  {
    example: 'E rkllm: The number of enabled CPUs must be greater than or equal to the number of NPU cores.',
    pattern: /number of enabled CPUs must be greater than or equal to the number of NPU cores/u,
    code: 'RKLLM_INVALID_OPTION',
    weight: 'cause',
    initFailed: true,
    explain: (_, { facts: { npuCores, enabledCpus } }) => ({
      summary: `There are fewer CPUs than NPU cores that the model was converted for${npuCores === undefined ? '' : `, ${npuCores}`}.`,
      hint: `Load it with ${npuCores === undefined ? 'more CPUs' : `at least ${npuCores} CPUs`}, such as cpus: [4, 5, 6, 7], or leave the option out.`,
      details: { option: 'cpus', npuCores, enabledCpus },
    }),
  },
  {
    example: "E rkllm: failed to open 'models/qwen.rkllm'",
    pattern: /failed to open '(?<path>(?!\/dev\/)[^']*)'/u,
    code: 'RKLLM_MODEL_NOT_FOUND',
    weight: 'cause',
    explain: ({ path }, { phase }) => ({
      ...(phase === 'run' && { code: 'RKLLM_INVALID_INPUT' }),
      summary: `The runtime cannot open ${path ?? 'a file'}.`,
      hint: 'Check the path, and that this user may read the file.',
      details: { path },
    }),
  },
  {
    example: 'W rkllm: Chat template auto-parsing failed: please configure it via rkllm_set_chat_template',
    pattern: /Chat template auto-parsing failed/u,
    code: 'RKLLM_TEMPLATE_UNKNOWN',
    weight: 'warning',
    explain: () => ({
      summary: "The runtime cannot use the chat template in the model's file.",
      hint:
        "It is not needed unless the model was loaded with template: 'runtime': this library applies templates itself. " +
        'Then name one, or pass prompts that have it applied already.',
    }),
  },
];

const newerRuntime = 'Use a librkllmrt.so of at least the release of the toolkit that made the model.';

function notAModel({ facts }: Circumstances): Explanation {
  if (isModelNewer(facts) === true) return newerModel(facts);
  const { toolkitVersion, runtimeVersion } = facts;
  const which = runtimeVersion === undefined ? '' : `, which is ${runtimeVersion}`;
  return {
    summary: 'The runtime does not recognize the file as a model.',
    hint:
      'Compare its size with the one shown where it comes from: it may be cut short or damaged. A model that a newer ' +
      `toolkit has made looks the same to the runtime${which}. ${newerRuntime}`,
    details: { toolkitVersion, runtimeVersion },
  };
}

/** Converted by a toolkit that came after the runtime. */
export function newerModel({ toolkitVersion, runtimeVersion }: RuntimeFacts): Explanation {
  return {
    code: 'RKLLM_MODEL_INCOMPATIBLE',
    summary: `The model was converted by toolkit ${toolkitVersion ?? '?'}, which is newer than runtime ${runtimeVersion ?? '?'}.`,
    hint: newerRuntime,
    details: { toolkitVersion, runtimeVersion },
  };
}

/** Converted for another SoC than the board's. */
export function otherPlatform({ targetPlatform, platform }: RuntimeFacts): Explanation {
  return {
    code: 'RKLLM_MODEL_INCOMPATIBLE',
    summary: `The model was converted for ${targetPlatform ?? 'another SoC'}, but this board is ${platform ?? 'another one'}.`,
    hint: `Get the model for this SoC, or convert it with target_platform ${platform ?? "of the board's SoC"}.`,
    details: { targetPlatform, platform },
  };
}
