import path from 'node:path';
import type { RkllmErrorCode } from '../errors.js';
import type { BackendModelInfo } from './model-info.js';
import { isRecord, readJsonFile, readTextFile, type JsonObject } from './json-file.js';

/** What the files beside a model say about its chats. */
export type ChatFacts = Pick<
  BackendModelInfo,
  'chatTemplate' | 'chatTemplateFile' | 'bosToken' | 'eosToken' | 'controlTokens'
>;

/** The model came alone. */
export const noChatFacts: ChatFacts = { chatTemplate: undefined, bosToken: undefined, eosToken: undefined };

/** @param code - of the error when it is broken. */
export async function readTokenizerConfig(directory: string, code: RkllmErrorCode): Promise<JsonObject | undefined> {
  return readJsonFile(path.join(directory, 'tokenizer_config.json'), code);
}

/**
 * Reads `chat_template.jinja` and `chat_template.json`, as far as they are there, beside the tokenizer's configuration.
 *
 * @param code - of the error when one of them is broken.
 */
export async function readChatFacts(
  directory: string,
  config: JsonObject | undefined,
  code: RkllmErrorCode,
): Promise<ChatFacts> {
  const template = await findTemplate(directory, config, code);
  return {
    chatTemplate: template?.source,
    ...(template && { chatTemplateFile: template.file }),
    ...tokensIn(config),
  };
}

/** The special tokens that a tokenizer's configuration tells of. */
export function tokensIn(config: JsonObject | undefined): Pick<ChatFacts, 'bosToken' | 'eosToken' | 'controlTokens'> {
  const special = specialTokensOf(config);
  return {
    bosToken: tokenText(config, 'bos_token'),
    eosToken: tokenText(config, 'eos_token'),
    ...(special.length > 0 && { controlTokens: special }),
  };
}

async function findTemplate(
  directory: string,
  config: JsonObject | undefined,
  code: RkllmErrorCode,
): Promise<{ readonly source: string; readonly file: string } | undefined> {
  const candidates: readonly (readonly [name: string, read: () => Promise<string | undefined>])[] = [
    ['chat_template.jinja', () => readTextFile(path.join(directory, 'chat_template.jinja'), code)],
    ['tokenizer_config.json', () => Promise.resolve(templateIn(config))],
    [
      'chat_template.json',
      async () => templateIn(await readJsonFile(path.join(directory, 'chat_template.json'), code)),
    ],
  ];
  for (const [name, read] of candidates) {
    const source = await read();
    if (source !== undefined) return { source, file: path.join(directory, name) };
  }
  return undefined;
}

/** The template in a tokenizer's configuration: one, or several of which one is called `default`. */
export function templateIn(config: JsonObject | undefined): string | undefined {
  if (!Array.isArray(config?.values['chat_template'])) return config?.string('chat_template');
  const templates = config.objects('chat_template');
  const chosen = templates.find((template) => template.string('name') === 'default') ?? templates[0];
  return chosen?.string('template');
}

/** A token is given as its text, or as an object with its text in `content`. */
function tokenText(config: JsonObject | undefined, key: string): string | undefined {
  return isRecord(config?.values[key]) ? config.object(key)?.string('content') : config?.string(key);
}

/** Those that were added by id, each with its text and whether it is special, and those that are only listed. */
function specialTokensOf(config: JsonObject | undefined): string[] {
  const added = config?.object('added_tokens_decoder');
  const byId = Object.keys(added?.values ?? {}).map((id) => added?.object(id));
  const special = byId.map((token) => (token?.boolean('special') === true ? token.string('content') : undefined));
  const listed = config?.values['additional_special_tokens'];
  const entries: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const texts = entries.map((entry) => (isRecord(entry) ? entry['content'] : entry));
  return [...new Set([...special, ...texts].filter((text) => typeof text === 'string'))];
}
