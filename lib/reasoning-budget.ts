import type { RunEnd, RunInput, RunRequest } from './backends/backend.js';
import { thinking } from './chat/tag-splitter.js';
import { RkllmError } from './errors.js';
import type { generateTable } from './options/generate.js';
import type { Checked } from './options/table.js';
import { without } from './options/without.js';
import type { Prompting } from './prompt.js';

/** What the families that think write behind their reasoning. */
const ending = `${thinking.close}\n\n`;

/** Most tokens that the end of the reasoning takes: each has at least one byte. */
export const tokensOfEnding = ending.length + 2;

/** An empty reasoning, as models are given it that must not think. */
const emptyReasoning = new RegExp(`${thinking.open}\\s*$`, 'u');

/**
 * The request that goes on behind reasoning that was cut.
 *
 * @param request - that the reasoning is the answer to; its prompt is text.
 * @param written - all of the answer so far.
 * @param outputTokens - how many tokens that was.
 */
export function behindReasoning(request: RunRequest, written: string, outputTokens: number): RunRequest {
  const { input, maxNewTokens, npu } = request;
  const text = (input.type === 'text' ? input.text : '') + written;
  const closed = emptyReasoning.test(text)
    ? `${text.trimEnd()}\n\n${ending}`
    : `${text}${text.endsWith('\n') ? '' : '\n'}${ending}`;
  return {
    ...request,
    input: { type: 'text', text: closed },
    maxNewTokens: maxNewTokens === undefined ? undefined : maxNewTokens - outputTokens,
    // The file has the prompt that the caller knows.
    ...(npu !== undefined && { npu: outputTokens > 0 ? without(npu, ['savePromptCache']) : npu }),
  };
}

/** The end of an answer that would go on behind its reasoning if that had not filled the context. */
export function withoutRoom(end: RunEnd): RunEnd {
  return { ...end, reason: 'length', promptTokens: 0, cachedPromptTokens: 0, prefillMs: 0, decodeMs: 0 };
}

/**
 * Refuses a limit of the reasoning where it could not be kept.
 *
 * @throws RkllmError `RKLLM_INVALID_OPTION` or `RKLLM_UNSUPPORTED_OPTION`.
 */
export function checkReasoningBudget(
  owner: string,
  options: Checked<typeof generateTable>,
  { input, media }: { readonly input: RunInput; readonly media?: RunRequest['media'] },
  prompting: Prompting,
): void {
  const { maxReasoningTokens: most, reasoning = 'text', enableThinking, keepHistory, stopBy } = options;
  if (most === undefined) return;
  if (reasoning === 'text') {
    throw refusal(owner, 'RKLLM_INVALID_OPTION', 'the reasoning is not told from the text', "Add reasoning: 'split'.");
  }
  if (most === 0 && enableThinking === true) {
    throw refusal(
      owner,
      'RKLLM_INVALID_OPTION',
      '0 and enableThinking: true exclude each other',
      'Leave one of them out.',
    );
  }
  if (keepHistory === true || stopBy === 'pause') {
    const other = keepHistory === true ? 'keepHistory: true' : "stopBy: 'pause'";
    throw refusal(
      owner,
      'RKLLM_INVALID_OPTION',
      `with ${other} the runtime keeps the prompt and what was thought, and would have both twice`,
      'Leave one of them out.',
    );
  }
  if (prompting.by === 'runtime') {
    throw refusal(
      owner,
      'RKLLM_UNSUPPORTED_OPTION',
      "the runtime puts every prompt into its own template, so none can go on behind the reasoning (template: 'runtime')",
      'Load the model with a template that this library applies, or leave maxReasoningTokens out.',
    );
  }
  if (input.type !== 'text' || media !== undefined) {
    throw refusal(
      owner,
      'RKLLM_UNSUPPORTED_OPTION',
      `the prompt is ${media === undefined ? 'token ids' : 'more than text'}, and only a text can be continued`,
      'Ask with text, or leave maxReasoningTokens out.',
    );
  }
}

function refusal(
  owner: string,
  code: 'RKLLM_INVALID_OPTION' | 'RKLLM_UNSUPPORTED_OPTION',
  why: string,
  hint: string,
): RkllmError {
  return new RkllmError(code, `${owner}: maxReasoningTokens cannot be honoured: ${why}.`, {
    hint,
    details: { owner, option: 'maxReasoningTokens' },
  });
}
