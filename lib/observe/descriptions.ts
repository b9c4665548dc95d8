import type { BatchRequest, RunInput } from '../backends/backend.js';
import type { ModelInfo } from '../model.js';
import { batchTable } from '../options/batch.js';
import { generateTable } from '../options/generate.js';
import type { Checked } from '../options/table.js';
import type { GenerateTrace } from './channels.js';
import { summarize } from './option-summary.js';

/**
 * What is told of a generation at its start, when somebody listens.
 *
 * @param given - what was asked, of which nothing but its kind is told.
 */
export function describeGeneration(
  {
    id,
    request,
    isConversation,
  }: { readonly id: string; readonly request: { readonly input: RunInput }; readonly isConversation: boolean },
  { name, backend }: ModelInfo,
  given: unknown,
  options: Checked<typeof generateTable>,
): () => GenerateTrace {
  const { input } = request;
  return () => ({
    id,
    operation: isConversation ? 'chat' : 'generate',
    model: name,
    backend,
    input: { kind: kindOf(given, input), length: input.type === 'text' ? input.text.length : input.tokenIds.length },
    options: summarize(generateTable, options),
  });
}

function kindOf(given: unknown, input: RunInput): GenerateTrace['input']['kind'] {
  if (input.type === 'tokens') return 'tokens';
  if (typeof given === 'string') return 'text';
  return Array.isArray(given) ? 'messages' : 'prompt';
}

/** What is told of a batch at its start, when somebody listens. */
export function describeBatch(
  { id, request }: { readonly id: string; readonly request: BatchRequest },
  { name, backend }: ModelInfo,
  options: Checked<typeof batchTable>,
): () => GenerateTrace {
  return () => ({
    id,
    operation: 'batch',
    model: name,
    backend,
    input: { kind: 'batch', length: request.rows.length },
    options: summarize(batchTable, options),
  });
}
