/**
 * What the turns of a conversation cost to prefill: ten of them with each generation of the vendor's runtime, as its
 * stand-in keeps count (`details` in its journal). "New" are the tokens of a prompt that were neither in the prompt before
 * nor in the answer to it. Beside it what it costs to send everything again to a runtime that keeps nothing, and what it
 * costs when the answers of a model are cut into other tokens in the next prompt than it wrote; on 1.1.x, which keeps
 * nothing, also with files in between (`promptCacheDirectory`), without the time that those take. The time to the first
 * token is not measured but modelled: the computed tokens at the vendor's figure for Phi-3 on an RK3588.
 *
 *   npm run build && npm run bench -- multi-turn [--turns N]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const { loadModel } = require(path.join(root, 'dist/index.js'));

const { values: options } = parseArgs({ options: { turns: { type: 'string', default: '10' } } });
const turns = Number(options.turns);
const msPerToken = 7.95;
const releases = ['1.1.1', '1.2.0', '1.2.1b1', '1.2.3', '1.3.0', '1.3.1'];

const words = (text) => text.split(/\s+/u).filter((word) => word !== '').length;
const question = (turn) => `Question ${turn}: ${'and what does that mean for the board on my desk, '.repeat(2)}please?`;
const answer = Array.from({ length: 40 }, (_, index) => `word${index}`);
/** Each as one token, as it is one in the next prompt. */
const whole = answer.map((word, index) => `token ${index === 0 ? '' : '\\x20'}${word}`);
/** The last of ten words in two tokens: no token from there on is what the next prompt has. */
const cut = whole.flatMap((token, index) =>
  index === 29 ? [token.slice(0, -2), `token ${token.slice(-2)}`] : [token],
);

const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-multi-turn-'));
process.on('exit', () => rmSync(directory, { recursive: true }));

async function conversation(release, script, loadOptions = {}) {
  const file = path.join(directory, 'phi-3-mini.rkllm');
  const journal = `${file}.journal`;
  rmSync(journal, { force: true });
  writeFileSync(file, ['#fake-rkllm', `journal ${journal}`, 'details', ...script, ''].join('\n'));
  const runtimePath = path.join(root, 'build/Release/fake', `librkllmrt-${release}.so`);
  const model = await loadModel(file, { runtimePath, isolation: 'none', ...loadOptions });
  const chat = model.chat({ system: 'You are a helpful assistant.' });
  for (let turn = 1; turn <= turns; turn++) await chat.send(question(turn));
  await model.dispose();
  const lines = readFileSync(journal, 'utf8').split('\n');
  const computed = lines.flatMap((line) => /^prefill (\d+) reused/u.exec(line)?.slice(1).map(Number) ?? []);
  const prompts = lines
    .flatMap((line) => /^input prompt .*?text="(.*)"$/u.exec(line)?.slice(1) ?? [])
    .map((text) => text.replaceAll('\\n', '\n'));
  if (computed.length !== turns || prompts.length !== turns) throw new Error('The journal is not complete.');
  return { computed, prompts };
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
const round = (value) => Number(value.toPrecision(3));

function figures({ computed, prompts }) {
  const text = answer.join(' ');
  const fresh = prompts.map((prompt, turn) =>
    words(turn === 0 ? prompt : prompt.slice(`${prompts[turn - 1]}${text}`.length)),
  );
  return {
    newTokens: sum(fresh),
    prefilledTokens: sum(computed),
    prefilledToNew: round(sum(computed) / sum(fresh)),
    modelledFirstTokenMs: {
      mean: Math.round((sum(computed) / turns) * msPerToken),
      lastTurn: Math.round((computed.at(-1) ?? 0) * msPerToken),
    },
  };
}

const result = { turns, msPerToken };
for (const release of releases) {
  const kept = figures(await conversation(release, whole));
  const resent = figures(await conversation(release, ['no-prefix-reuse', ...whole]));
  const other = figures(await conversation(release, cut));
  result[release] = {
    conversation: kept,
    everythingAgain: resent,
    answersInOtherTokens: other,
    ...(release.startsWith('1.1.') && {
      withPromptCacheDirectory: figures(await conversation(release, whole, { promptCacheDirectory: directory })),
    }),
    conversationToEverythingAgain: round(kept.prefilledTokens / resent.prefilledTokens),
  };
}
console.log(JSON.stringify(result, undefined, 2));
