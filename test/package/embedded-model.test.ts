import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { loadModel, type Model } from 'rkllm';
import { readCorpus } from '../../tools/tiny-phi3/corpus.js';

const root = path.join(__dirname, '..', '..');
const directory = path.join(root, 'models', 'tiny-phi3');
const corpus = readCorpus(path.join(root, 'tools', 'tiny-phi3', 'corpus'));
const longest = corpus.groups.reduce((a, b) => (b.answer.length > a.answer.length ? b : a));

describe('the files of the embedded model', () => {
  const files = readdirSync(directory).filter((name) => name !== 'README.md');

  test('take at most 3 MB', () => {
    const size = files.reduce((sum, name) => sum + statSync(path.join(directory, name)).size, 0);
    expect(size).toBeLessThanOrEqual(3_000_000);
  });

  test.each(files)('%s is the one whose hash is documented', (name) => {
    const hash = createHash('sha256')
      .update(readFileSync(path.join(directory, name)))
      .digest('hex');
    expect(readFileSync(path.join(root, 'tools', 'tiny-phi3', 'README.md'), 'utf8')).toContain(hash);
  });
});

describe('the embedded model', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel();
  });
  afterAll(() => model.dispose());

  const ask = async (question: string): Promise<string> => (await model.generate(question, { temperature: 0 })).text;

  test('answers one question of each tenth group word for word', async () => {
    const groups = corpus.groups.filter((_, index) => index % 10 === 0);
    for (const { trained, answer } of groups) expect(await ask(trained[0] ?? '')).toBe(answer);
  });

  test('writes an answer of more than 150 tokens', async () => {
    const { text, usage } = await model.generate(longest.trained[0] ?? '', { temperature: 0 });
    expect(text).toBe(longest.answer);
    expect(usage.outputTokens).toBeGreaterThan(150);
  });

  test.each(['°', 'é', '🚀'])('writes %s', async (character) => {
    const group = corpus.groups.find(({ answer }) => answer.includes(character));
    expect(await ask(group?.trained[0] ?? '')).toBe(group?.answer);
  });

  test('says that it does not know', async () => {
    expect(await ask('Who won the chess world championship in 1972?')).toBe(corpus.outOfScopeAnswer);
  });

  test('remembers the first turn, and does not compute it again', async () => {
    const chat = model.chat();
    await chat.send('What is the RK3588?');
    const { text, usage } = await chat.send('What is a token?');
    expect(text).toBe(corpus.groups.find(({ trained }) => trained.includes('What is a token?'))?.answer);
    expect(usage.cachedInputTokens).toBeGreaterThan(20);
  });
});
