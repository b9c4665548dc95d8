import { chatTable } from '../../lib/options/chat.js';
import { checkOptions, suggest } from '../../lib/options/check.js';
import { generateTable } from '../../lib/options/generate.js';
import { loadTable } from '../../lib/options/load.js';
import { expectation, type OptionTable } from '../../lib/options/table.js';
import { failureOf } from '../support/reading.js';

async function suggestionFor(table: OptionTable, name: string): Promise<unknown> {
  const error = await failureOf(() => checkOptions('it', table, { [name]: 1 }));
  return (error as { details?: { suggestion?: unknown } }).details?.suggestion;
}

test.each([
  // other libraries' words
  ['maxTokens', 'maxNewTokens'],
  ['max_tokens', 'maxNewTokens'],
  ['maxOutputTokens', 'maxNewTokens'],
  ['max_completion_tokens', 'maxNewTokens'],
  ['num_predict', 'maxNewTokens'],
  ['stopSequences', 'stop'],
  ['stop_strings', 'stop'],
  ['abortSignal', 'signal'],
  ['repetition_penalty', 'repeatPenalty'],
  // the runtime's spelling
  ['max_new_tokens', 'maxNewTokens'],
  ['top_k', 'topK'],
  ['top-p', 'topP'],
  ['repeat_penalty', 'repeatPenalty'],
  ['TEMPERATURE', 'temperature'],
  // slips
  ['temprature', 'temperature'],
  ['onabort', 'onAbort'],
  ['signl', 'signal'],
])('generate(): %s → %s', async (written, meant) => {
  expect(await suggestionFor(generateTable, written)).toBe(meant);
});

test.each([
  ['max_context_len', 'maxContextLength'],
  ['n_ctx', undefined],
  ['num_ctx', 'maxContextLength'],
  ['contextSize', 'maxContextLength'],
  ['num_threads', 'threads'],
  ['libraryPath', 'runtimePath'],
  ['n_batch', 'batchSize'],
  ['backends', 'backend'],
])('loadModel(): %s → %s', async (written, meant) => {
  expect(await suggestionFor(loadTable, written)).toBe(meant);
});

test.each(['zzz', '', 'constructor', '__proto__', 'hasOwnProperty'])('%p is near nothing', async (written) => {
  const options: unknown = JSON.parse(`{ "${written}": 1 }`);
  const error = await failureOf(() => checkOptions('it', generateTable, options));
  expect(error).toMatchObject({ code: 'RKLLM_UNKNOWN_OPTION', details: { suggestion: undefined } });
});

test('a synonym of what this table does not have is not suggested', () => {
  expect(suggest('maxTokens', Object.keys(chatTable))).toBeUndefined();
});

test('every option says what it must be and what applies without it', () => {
  for (const [name, spec] of Object.entries({ ...loadTable, ...generateTable, ...chatTable })) {
    expect({ name, text: expectation(spec) }).toEqual({
      name,
      text: expect.stringMatching(/^(an?|one of|') ?\S/u) as string,
    });
    expect(spec.defaultsTo).not.toBe('');
  }
});
