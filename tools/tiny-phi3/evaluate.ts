/**
 * Measures the embedded model through the library itself and prints the figures of its model card.
 *
 * Run: npm run eval:tiny [-- --quick]
 */
import path from 'node:path';
import { loadModel, type ChatMessage, type Model } from 'rkllm';
import { readCorpus, type Corpus, type Group } from './corpus.js';

interface Figure {
  readonly name: string;
  readonly passed: number;
  readonly of: number;
  /** Smallest acceptable share. */
  readonly target: number;
}

type Wording = (text: string) => string;

const root = path.join(__dirname, '..', '..', '..');
const quick = process.argv.includes('--quick');

async function main(): Promise<void> {
  const corpus = readCorpus(path.join(root, 'tools', 'tiny-phi3', 'corpus'));
  const model = await loadModel();
  try {
    const figures = await measure(model, corpus);
    for (const figure of figures) console.log(lineOf(figure));
    const missed = figures.filter(({ passed, of, target }) => passed / of < target);
    console.log(missed.length === 0 ? 'all targets are met' : `${missed.length} targets are missed`);
    process.exitCode = missed.length === 0 ? 0 : 1;
  } finally {
    await model.dispose();
  }
}

async function measure(model: Model, corpus: Corpus): Promise<Figure[]> {
  const groups = quick ? corpus.groups.filter((_, index) => index % 10 === 0) : corpus.groups;
  const figures = [
    await recall(model, groups, 'trained wordings', (text) => text),
    await recall(model, groups, 'trained wordings in lower case', (text) => text.toLowerCase()),
    await recall(model, groups, 'trained wordings without punctuation', (text) => text.replace(/[.,;:!?]+/gu, '')),
  ];
  for (const system of corpus.unseenSystemPrompts) {
    figures.push(await recall(model, groups, `under the unseen system prompt "${system}"`, (text) => text, system));
  }
  figures.push(await paraphrases(model, groups), await outOfScope(model, corpus), await twoTurns(model, groups));
  return figures;
}

async function recall(
  model: Model,
  groups: readonly Group[],
  name: string,
  wording: Wording,
  system?: string,
): Promise<Figure> {
  const opening: ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }];
  const cases = groups.flatMap(({ trained, answer }) => trained.map((text) => ({ text: wording(text), answer })));
  const passed = await count(cases, async ({ text, answer }) => {
    return (await ask(model, [...opening, { role: 'user', content: text }])) === answer;
  });
  return { name, passed, of: cases.length, target: 0.99 };
}

async function paraphrases(model: Model, groups: readonly Group[]): Promise<Figure> {
  const cases = groups.flatMap(({ heldOut, answer }) => heldOut.map((text) => ({ text, answer })));
  const passed = await count(cases, async ({ text, answer }) => {
    return (await ask(model, [{ role: 'user', content: text }])) === answer;
  });
  return { name: 'held-out paraphrases', passed, of: cases.length, target: 0.85 };
}

async function outOfScope(model: Model, { outOfScope: questions, outOfScopeAnswer }: Corpus): Promise<Figure> {
  const passed = await count(questions, async (content) => {
    return (await ask(model, [{ role: 'user', content }])) === outOfScopeAnswer;
  });
  return { name: 'held-out questions out of scope, refused', passed, of: questions.length, target: 0.9 };
}

/** Each group after the one that follows it in a fixed shuffle, both answers exact. */
async function twoTurns(model: Model, groups: readonly Group[]): Promise<Figure> {
  const passed = await count(groups, async (first, index) => {
    const second = groups[(index * 7 + 3) % groups.length] ?? first;
    const chat = model.chat();
    for (const { trained, answer } of [first, second]) {
      const { text } = await chat.send(trained[0] ?? '', { temperature: 0, maxNewTokens: 400 });
      if (text !== answer) return false;
    }
    return true;
  });
  return { name: 'conversations of two turns', passed, of: groups.length, target: 0.9 };
}

async function ask(model: Model, messages: readonly ChatMessage[]): Promise<string> {
  return (await model.generate(messages, { temperature: 0, maxNewTokens: 400 })).text;
}

async function count<T>(cases: readonly T[], passes: (item: T, index: number) => Promise<boolean>): Promise<number> {
  let passed = 0;
  for (const [index, item] of cases.entries()) if (await passes(item, index)) passed++;
  return passed;
}

function lineOf({ name, passed, of, target }: Figure): string {
  const share = ((100 * passed) / of).toFixed(1);
  return `${passed / of >= target ? 'met   ' : 'MISSED'} ${name}: ${passed} of ${of} (${share} %, target ${target * 100} %)`;
}

void main();
