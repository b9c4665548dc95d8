import path from 'node:path';
import { RkllmError } from '../../errors.js';
import { readChatFacts, readTokenizerConfig, type ChatFacts } from '../chat-files.js';
import { readJsonFile, type JsonObject } from '../json-file.js';
import { Tokenizer, type HuggingFaceTokenizer } from './huggingface.js';
import { buildTokenTable, type TokenTable } from './token-table.js';

const code = 'RKLLM_TOKENIZER_INVALID';

/** The tokenizer of a model, and what its files say about chats. */
export interface LoadedTokenizer {
  /** Control tokens that are written out in the text become control tokens. */
  encode(text: string): Int32Array;
  /** Ids of the tokens with these contents, as far as there are any. */
  idsOf(contents: readonly string[]): number[];
  readonly table: TokenTable;
  readonly chat: ChatFacts & { readonly addsBosToken: boolean };
}

/** Reads `tokenizer.json` and, if there is one, `tokenizer_config.json`. */
export async function loadTokenizer(directory: string): Promise<LoadedTokenizer> {
  const file = path.join(directory, 'tokenizer.json');
  const json = await readJsonFile(file, code);
  if (json === undefined) {
    throw new RkllmError('RKLLM_TOKENIZER_NOT_FOUND', `There is no tokenizer.json in ${directory}.`, {
      hint: 'Download tokenizer.json and tokenizer_config.json from where the model comes from, next to its .onnx file.',
      details: { path: file },
    });
  }
  const config = await readTokenizerConfig(directory, code);
  const table = buildTokenTable(json);
  const tokenizer = construct(file, json, config);
  const addsBosToken = config?.boolean('add_bos_token') ?? false;
  const options = { add_special_tokens: addsBosToken };
  const chat = await readChatFacts(directory, config, code);
  return {
    encode: (text) => Int32Array.from(tokenizer.encode(text, options).ids),
    idsOf: (contents) => contents.map((content) => tokenizer.token_to_id(content)).filter((id) => id !== undefined),
    table,
    chat: { ...chat, controlTokens: specialTokens(json), addsBosToken },
  };
}

function construct(file: string, json: JsonObject, config: JsonObject | undefined): HuggingFaceTokenizer {
  try {
    const tokenizer = new Tokenizer(json.values, config?.values ?? {});
    tokenizer.encode('a', { add_special_tokens: true }); // some mistakes only show in use
    return tokenizer;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RkllmError(code, `${file} describes a tokenizer that cannot be used: ${reason}.`, {
      hint: 'Restore tokenizer.json from where the model was downloaded. If it is complete, its kind of tokenizer is not supported.',
      details: { file },
      cause,
    });
  }
}

/** The table of tokens has been read by now: what is there is of the right kind. */
function specialTokens(json: JsonObject): string[] {
  return json.objects('added_tokens').flatMap((token) => {
    const content = token.boolean('special') === true ? token.string('content') : undefined;
    return content === undefined ? [] : [content];
  });
}
