// Writes what Phi-3's own template makes of conversations, and the tokens of that: test/unit/templates/golden/phi3.json.
//
//   npm pack llama-tokenizer-js@1.2.2 && tar xzf llama-tokenizer-js-1.2.2.tgz
//   node tools/templates/golden.mjs package/llama-tokenizer.js
//
// Phi-3's tokenizer is that of Llama 1 and 2, which is in that package, with control tokens behind it.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Template } from '@huggingface/jinja';
import { Tokenizer } from '@huggingface/tokenizers';

const [vocabularyFile] = process.argv.slice(2);
if (vocabularyFile === undefined) throw new Error('Usage: node tools/templates/golden.mjs path/to/llama-tokenizer.js');

const root = fileURLToPath(new URL('../..', import.meta.url));
const readJson = (...names) => JSON.parse(readFileSync(path.join(...names), 'utf8'));
const { require } = { require: createRequire(import.meta.url) };
const versionOf = (name) => readJson(path.dirname(require.resolve(name)), '..', 'package.json').version;

const say = (role, content) => ({ role, content });
const conversations = {
  'one question': [say('user', 'What is an NPU?')],
  'a system message': [say('system', 'Answer briefly.'), say('user', 'What is an NPU?')],
  'several turns': [
    say('system', 'You are a helpful assistant.'),
    say('user', 'Name a board.'),
    say('assistant', 'The Orange Pi 5.'),
    say('user', 'And its chip?'),
    say('assistant', 'It has an RK3588.'),
    say('user', 'Thank you'),
  ],
  'white space and line breaks': [say('user', '  two spaces\n\n\ttab \n'), say('assistant', '\n'), say('user', ' b ')],
  'code, other scripts and emoji': [say('user', 'if (a < b && c > d) { return "|"; }\n世界 é 🙂 {{ x }} {% y %}')],
  'an answer that was stopped at once': [say('user', 'a'), say('assistant', ''), say('user', 'b')],
};

const embedded = path.join(root, 'models', 'tiny-phi3');
const embeddedJson = readJson(embedded, 'tokenizer.json');
const embeddedTokenizer = new Tokenizer(embeddedJson, readJson(embedded, 'tokenizer_config.json'));

const { default: llama } = await import(pathToFileURL(path.resolve(vocabularyFile)).href);

/** In the form of the embedded model's, whose control tokens are Phi-3's, in the same order: there from 32000 on. */
function phi3Tokenizer() {
  const own = embeddedJson.added_tokens.filter(({ content }) => /^<\|.*\|>$/u.test(content));
  const common = embeddedJson.added_tokens.filter(({ id }) => id < 3);
  const added = own.map((token, index) => ({ ...token, id: llama.vocabById.length + index }));
  const vocab = Object.fromEntries(llama.vocabById.map((piece, id) => [piece, id]));
  const model = { ...embeddedJson.model, vocab, merges: [...llama.merges.keys()] };
  const json = { ...embeddedJson, model, added_tokens: [...common, ...added] };
  return new Tokenizer(json, readJson(embedded, 'tokenizer_config.json'));
}

const tokenizer = phi3Tokenizer();
const encode = (one, text) => [...one.encode(text, { add_special_tokens: false }).ids];
const { templates } = readJson(root, 'tools', 'templates', 'phi3-templates.json');
const golden = Object.entries(templates).flatMap(([model, source]) =>
  Object.entries(conversations).map(([name, messages]) => {
    const items = { messages, add_generation_prompt: true, bos_token: '<s>', eos_token: '<|endoftext|>' };
    const prompt = new Template(source).render(items);
    const ids = { phi3: encode(tokenizer, prompt), embedded: encode(embeddedTokenizer, prompt) };
    return { model, name, messages, prompt, ids };
  }),
);

const document = {
  madeBy: 'tools/templates/golden.mjs',
  versions: Object.fromEntries(
    ['@huggingface/jinja', '@huggingface/tokenizers'].map((name) => [name, versionOf(name)]),
  ),
  vocabularySha256: createHash('sha256').update(readFileSync(vocabularyFile)).digest('hex'),
  golden,
};
const lines = JSON.stringify(document, null, 2).replace(/\[\s+\d[\d,\s]*\]/gu, (list) => list.replace(/\s+/gu, ' '));
writeFileSync(path.join(root, 'test', 'unit', 'templates', 'golden', 'phi3.json'), `${lines}\n`);
