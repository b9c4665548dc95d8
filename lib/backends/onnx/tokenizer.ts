import path from 'node:path';
import { RkllmError } from '../../errors.js';
import { Tokenizer, type HuggingFaceTokenizer } from './huggingface.js';
import { isRecord, readJsonFile, readTextFile, type JsonObject } from './json-file.js';
import { buildTokenTable, type TokenTable } from './token-table.js';

const code = 'RKLLM_TOKENIZER_INVALID';

/** The tokenizer of a model, and what its files say about chats. */
export interface LoadedTokenizer {
  /** Control tokens that are written out in the text become control tokens. */
  encode(text: string): Int32Array;
  /** Ids of the tokens with these contents, as far as there are any. */
  idsOf(contents: readonly string[]): number[];
  readonly table: TokenTable;
  readonly chatTemplate: string | undefined;
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
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
  const config = await readJsonFile(path.join(directory, 'tokenizer_config.json'), code);
  const table = buildTokenTable(json);
  const tokenizer = construct(file, json, config);
  const options = { add_special_tokens: config?.boolean('add_bos_token') ?? false };
  return {
    encode: (text) => Int32Array.from(tokenizer.encode(text, options).ids),
    idsOf: (contents) => contents.map((content) => tokenizer.token_to_id(content)).filter((id) => id !== undefined),
    table,
    chatTemplate: (await readTextFile(path.join(directory, 'chat_template.jinja'), code)) ?? chatTemplate(config),
    bosToken: tokenText(config, 'bos_token'),
    eosToken: tokenText(config, 'eos_token'),
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

/** One template, or several of which one is called `default`. */
function chatTemplate(config: JsonObject | undefined): string | undefined {
  if (!Array.isArray(config?.values['chat_template'])) return config?.string('chat_template');
  const templates = config.objects('chat_template');
  const chosen = templates.find((template) => template.string('name') === 'default') ?? templates[0];
  return chosen?.string('template');
}

/** A token is given as its text, or as an object with its text in `content`. */
function tokenText(config: JsonObject | undefined, key: string): string | undefined {
  return isRecord(config?.values[key]) ? config.object(key)?.string('content') : config?.string(key);
}
