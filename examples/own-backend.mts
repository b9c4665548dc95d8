// A backend of your own, and the suite that every backend passes. Run: node --test examples/own-backend.mts
import { test } from 'node:test';
import type { Backend, Run, RunEnd, RunRequest } from 'rkllm';
import { conformance } from 'rkllm/testing';

/** A parrot: repeats what the user said last, a byte a token. */
function start({ input, maxNewTokens }: RunRequest): Run {
  const question = input.type === 'text' ? input.text.split('<|user|>\n').at(-1)?.split('<|end|>')[0] : '';
  const fresh: number[] = [];
  let [over, stopped, wake] = [false, false, (): unknown => undefined];
  const untold = { promptTokens: undefined, cachedPromptTokens: undefined, prefillMs: undefined };
  async function speak(): Promise<RunEnd> {
    for (const byte of Buffer.from(question ?? '').subarray(0, maxNewTokens)) {
      await new Promise((resolve) => setImmediate(resolve));
      if (stopped) break;
      fresh.push(byte);
      wake();
    }
    return { reason: stopped ? 'aborted' : 'unstated', ...untold, decodeMs: undefined, peakMemoryMb: undefined };
  }
  return {
    ended: speak().finally(() => [(over = true), wake()]),
    abort: () => (stopped = true),
    readable: () => (fresh.length > 0 || over ? Promise.resolve() : new Promise((resolve) => (wake = resolve))),
    drain() {
      const bytes = Uint8Array.from(fresh.splice(0));
      const ends = Uint32Array.from(bytes, (_, index) => index + 1);
      return bytes.length === 0 ? undefined : { bytes, tokenIds: Int32Array.from(bytes), ends };
    },
  };
}
const capabilities = { perRequestSampling: true, seed: true, kvReuse: false, tokenInput: false, slots: 1 };
const unknown = { quantization: undefined, chatTemplate: undefined, bosToken: undefined, eosToken: undefined };
const info = { name: 'parrot', ...unknown, runtime: undefined };
const failed = new Promise<never>(() => undefined); // a parrot does not die
const load: Backend['load'] = ({ maxContextLength: contextLength = 4096 }) =>
  Promise.resolve({ info: { ...info, contextLength }, capabilities, start, failed, dispose: () => Promise.resolve() });
const options = { backend: { name: 'parrot', load }, template: 'phi3' } as const;
const questions = { short: 'Hello, parrot!', long: 'a word '.repeat(30), unicode: 'At 80 °C 🙂' };
for (const { name, run } of conformance((kind) => ({ options, question: questions[kind] }))) void test(name, run);
