import { isRkllmError } from '../../errors.js';
import type { Generation, GenerationResult } from '../../generation.js';
import type { Measured } from './report.js';
import { StepFailed, StepSkipped, type Session } from './session.js';

/** One step of the script; what it returns was measured. */
export interface Step {
  readonly id: string;
  readonly title: string;
  readonly run: (session: Session, signal: AbortSignal) => Promise<Measured>;
}

const question = 'Count from one to twenty in words.';
const longQuestion = `Here is a list of words: ${'river stone cloud '.repeat(60)}. Write a long story about a river.`;
const sample = 'Grüße, 你好, こんにちは, 🙂🚀';
const turns = ['My favourite colour is green. Say OK.', 'What is my favourite colour?', 'Thank you. Say goodbye.'];

/** The script. The order matters: each step uses the model as the one before has left it. */
export const steps: readonly Step[] = [
  { id: 'load', title: 'Load the model', run: load },
  { id: 'stream', title: 'Stream an answer', run: stream },
  { id: 'abort', title: 'Stop in the middle of an answer', run: abort },
  { id: 'abort-prefill', title: 'Stop before the first token', run: abortPrefill },
  { id: 'utf8', title: 'Characters of several bytes', run: utf8 },
  { id: 'stop', title: 'A stop sequence', run: stop },
  { id: 'turns', title: 'Several turns of a chat', run: severalTurns },
  { id: 'reload', title: 'Free the model and load it again', run: reload },
  { id: 'dispose', title: 'Free the model', run: dispose },
];

async function load(session: Session, signal: AbortSignal): Promise<Measured> {
  const { capabilities } = await session.load(signal);
  const { perRequestSampling, kvReuse } = capabilities;
  return { perRequestSampling, kvReuse };
}

async function stream(session: Session, signal: AbortSignal): Promise<Measured> {
  const generation = session.ask(question, { maxNewTokens: 64, signal });
  let [chunks, tokens, text] = [0, 0, ''];
  for await (const chunk of generation) {
    if (chunk.type !== 'text') continue;
    chunks++;
    tokens += chunk.tokenIds.length;
    text += chunk.text;
  }
  const result = await generation;
  session.firstAnswer = result.text;
  requireTokens(result);
  requireWhole(result.text);
  if (text !== result.text) throw new StepFailed('the chunks together are not the answer');
  return { chunks, streamedTokens: tokens, ...figuresOf(result) };
}

async function abort(session: Session, signal: AbortSignal): Promise<Measured> {
  const generation = session.ask(longQuestion, { maxNewTokens: 512, signal });
  let asked: number | undefined;
  let tokens = 0;
  for await (const chunk of generation) {
    if (chunk.type !== 'text') continue;
    tokens += chunk.tokenIds.length;
    if (tokens < 4 || asked !== undefined) continue;
    asked = performance.now();
    generation.abort();
  }
  const stoppedAfterMs = await timeToEnd(generation, asked);
  return { stoppedAfterMs, tokensBefore: tokens, ...(await answersAgain(session, signal)) };
}

async function abortPrefill(session: Session, signal: AbortSignal): Promise<Measured> {
  const generation = session.ask(longQuestion, { maxNewTokens: 512, signal });
  await new Promise((resolve) => setImmediate(resolve)); // the engine has it
  const asked = performance.now();
  generation.abort();
  const stoppedAfterMs = await timeToEnd(generation, asked);
  return { stoppedAfterMs, ...(await answersAgain(session, signal)) };
}

/** From the moment when it was told to stop until the engine was idle. */
async function timeToEnd(generation: Generation, asked: number | undefined): Promise<number> {
  const { finishReason } = await generation;
  if (asked === undefined || finishReason !== 'abort')
    throw new StepSkipped('the answer ended before it could be stopped');
  return performance.now() - asked;
}

/** An abort that comes too late for its run must not hit the next one. */
async function answersAgain(session: Session, signal: AbortSignal): Promise<Measured> {
  const result = await session.ask(question, { maxNewTokens: 8, signal });
  requireTokens(result);
  return { nextTimeToFirstTokenMs: result.timings.timeToFirstTokenMs, nextOutputTokens: result.usage.outputTokens };
}

async function utf8(session: Session, signal: AbortSignal): Promise<Measured> {
  const result = await session.ask(`Repeat exactly: ${sample}`, { maxNewTokens: 64, signal });
  requireTokens(result);
  requireWhole(result.text);
  const repeated = [...new Set(sample)].filter((character) => (character.codePointAt(0) ?? 0) > 127);
  const found = repeated.filter((character) => result.text.includes(character));
  return { charactersAsked: repeated.length, charactersRepeated: found.length, ...figuresOf(result) };
}

async function stop(session: Session, signal: AbortSignal): Promise<Measured> {
  session.requireModel();
  const { firstAnswer } = session;
  const words = firstAnswer.split(/\s+/u).filter((word) => word.length > 1);
  const word = words[Math.floor(words.length / 2)];
  if (words.length < 2 || word === undefined) throw new StepSkipped('the first answer has too few words');
  const result = await session.ask(question, { maxNewTokens: 64, stop: [word], signal });
  if (result.text.includes(word)) throw new StepFailed('the answer has the stop sequence in it');
  if (result.finishReason !== 'stop-sequence') throw new StepSkipped('the model gave another answer this time');
  const sameAnswer = result.text === firstAnswer.slice(0, firstAnswer.indexOf(word));
  return { sameAnswer, ...figuresOf(result) };
}

async function severalTurns(session: Session, signal: AbortSignal): Promise<Measured> {
  const model = session.requireModel();
  if (model.info.template === undefined) throw new StepSkipped("the model's chat template is not known");
  const chat = model.chat();
  const measured: Record<string, number | undefined> = {};
  for (const [index, turn] of turns.entries()) {
    const result = await chat.send(turn, { maxNewTokens: 24, signal });
    requireTokens(result);
    const { timeToFirstTokenMs, prefillMs } = result.timings;
    measured[`turn${index + 1}TimeToFirstTokenMs`] = timeToFirstTokenMs;
    measured[`turn${index + 1}PrefillMs`] = prefillMs;
    measured[`turn${index + 1}ComputedInputTokens`] = result.usage.computedInputTokens;
  }
  return measured;
}

async function reload(session: Session, signal: AbortSignal): Promise<Measured> {
  session.requireModel();
  const before = performance.now();
  await session.dispose();
  const disposed = performance.now();
  await session.load(signal);
  const loaded = performance.now();
  const result = await session.ask(question, { maxNewTokens: 64, signal });
  requireTokens(result);
  const sameAnswer = result.text === session.firstAnswer;
  return { disposeMs: disposed - before, loadMs: loaded - disposed, sameAnswer, ...figuresOf(result) };
}

async function dispose(session: Session): Promise<Measured> {
  const model = session.requireModel();
  await session.dispose();
  try {
    model.generate({ prompt: question });
  } catch (error) {
    if (isRkllmError(error, 'RKLLM_DISPOSED')) return {};
    throw error;
  }
  throw new StepFailed('a freed model takes a question');
}

function requireTokens({ usage }: GenerationResult): void {
  if (usage.outputTokens === 0) throw new StepFailed('the answer has no token');
}

/** Halves of characters show as U+FFFD, or as a surrogate without its other half. */
function requireWhole(text: string): void {
  if (/\uFFFD|\p{Surrogate}/u.test(text)) throw new StepFailed('the text has broken characters');
}

function figuresOf({ finishReason, usage, timings }: GenerationResult): Measured {
  const { timeToFirstTokenMs, prefillMs, prefillTokensPerSecond, decodeTokensPerSecond, peakMemoryMb } = timings;
  return {
    finishReason,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    timeToFirstTokenMs,
    prefillMs,
    prefillTokensPerSecond,
    decodeTokensPerSecond,
    peakMemoryMb,
  };
}
