// A backend of your own, and the suite that every backend passes. Run: node --test examples/own-backend.mjs
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { conformance } from 'rkllm/testing';

/** A parrot: repeats what the user said last, a byte a token. */
function start({ input, maxNewTokens }) {
  const question = input.text.split('<|user|>\n').at(-1).split('<|end|>')[0];
  let [fresh, over, stopped, wake] = [[], false, false, () => undefined];
  async function speak() {
    for (const byte of Buffer.from(question).subarray(0, maxNewTokens)) {
      await turn();
      if (stopped) return { reason: 'aborted' };
      fresh.push(byte);
      wake();
    }
    return { reason: 'unstated' };
  }
  return {
    ended: speak().finally(() => wake((over = true))),
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
async function load({ maxContextLength: contextLength = 4096 }) {
  const failed = new Promise(() => undefined); // a parrot does not die
  return { info: { name: 'parrot', contextLength }, capabilities, start, failed, dispose: async () => undefined };
}

const questions = { short: 'Hello, parrot!', long: 'a word '.repeat(30), unicode: 'At 80 °C 🙂' };
const options = { backend: { name: 'parrot', load }, template: 'phi3' };
for (const { name, run } of conformance((kind) => ({ options, question: questions[kind] }))) test(name, run);
