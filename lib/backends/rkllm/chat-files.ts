import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { noChatFacts, readChatFacts, readTokenizerConfig, type ChatFacts } from '../chat-files.js';

const code = 'RKLLM_TOKENIZER_INVALID';

/**
 * What the files beside a `.rkllm` file say about its chats. In a folder with several models nobody can tell whose they
 * are: there they are left alone.
 */
export async function chatFactsBeside(modelPath: string | undefined): Promise<ChatFacts> {
  if (modelPath === undefined) return noChatFacts;
  const directory = path.dirname(modelPath);
  const names = await readdir(directory).catch(() => []); // a folder that may not be listed
  if (names.filter((name) => /\.rkllm$/iu.test(name)).length > 1) return noChatFacts;
  return readChatFacts(directory, await readTokenizerConfig(directory, code), code);
}
