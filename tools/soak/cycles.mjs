/** What happens in a cycle. Each has a model of its own, and ends when nothing of it is left to happen. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { loadModel } from '../../dist/index.js';
import { answer, fakeModel, releases, runtimeOf } from './fake-models.mjs';
import { codeOf, within } from './ledger.mjs';

/** How often each kind comes. */
const kinds = { generate: 30, crash: 20, batch: 10, stopLoad: 10, forget: 10, worker: 20 };

/** What may come of a request whose model is disposed of, or that is aborted. */
const stopped = ['AbortError', 'RKLLM_DISPOSED'];
const crashed = [...stopped, 'RKLLM_RUNTIME_CRASHED', 'RKLLM_RUNTIME_HUNG', 'RKLLM_INIT_FAILED'];

/** Places and ways to fail, as the fake runtime knows them. */
const places = ['load', 'prefill', 'decode', 'abort', 'destroy', 'idle'];
const ways = ['segv', 'bus', 'abrt', 'assert', 'kill', 'exit', 'quick-exit', 'hang'];

export async function runCycle(ledger, cycle, random) {
  const kind = random.weighted(kinds);
  await new Cycle(ledger, cycle, random)[kind]();
  await ledger.close(cycle);
  return kind;
}

class Cycle {
  #requests = 0;

  constructor(ledger, cycle, random) {
    this.ledger = ledger;
    this.cycle = cycle;
    this.random = random;
    this.tokens = random.integer(1, 40);
    this.text = answer(this.tokens);
    this.allowed = stopped;
    this.isolation = random.chance(0.7) ? 'process' : 'none';
    this.release = random.pick(releases);
  }

  model(...lines) {
    const { random } = this;
    const pace = [`token-us ${random.integer(0, 600)}`, `prefill-ms ${random.integer(0, 10)}`];
    return fakeModel(`cycle-${this.cycle}`, this.tokens, ...pace, ...lines);
  }

  load({ file }, options = {}) {
    const { isolation, release } = this;
    return loadModel(file, { runtimePath: runtimeOf(release), template: 'none', isolation, ...options });
  }

  /** What goes wrong outside requests. */
  async expect(action) {
    try {
      return await action();
    } catch (error) {
      if (!this.allowed.includes(codeOf(error))) this.ledger.violate(this.cycle, error?.stack ?? error);
      return undefined;
    }
  }

  async generate() {
    const file = this.model(`destroy-delay-ms ${this.random.integer(0, 5)}`);
    const model = await this.load(file);
    await this.ask(model);
    await this.leave(model);
    file.remove();
  }

  /** Only where it cannot crash the soak. */
  async crash() {
    const { random } = this;
    this.isolation = 'process';
    this.allowed = crashed;
    const after = random.integer(1, this.tokens);
    const file = this.model(`fail ${random.pick(places)} ${random.pick(ways)} ${after}`);
    const limits = { loadTimeoutMs: 1500, stallTimeoutMs: 400, abortTimeoutMs: 400 };
    const model = await this.expect(() => this.load(file, limits));
    if (model !== undefined) {
      await this.ask(model);
      await this.expect(() => this.leave(model));
    }
    file.remove();
  }

  async batch() {
    const { random } = this;
    this.release = random.pick(['1.2.3', '1.3.1']);
    const batchSize = random.integer(2, 4);
    const file = this.model();
    const model = await this.load(file, { batchSize, ...(this.release === '1.3.1' && { runtimeVersion: '1.3.1' }) });
    for (let i = random.integer(1, 3); i > 0; i--) {
      const prompts = Array.from({ length: batchSize }, () => this.prompt());
      const inputs = prompts.map((prompt) => ({ prompt }));
      const signal = random.chance(0.3) ? this.abortingSignal() : undefined;
      this.request(prompts[0], model.runtime.generateBatch(inputs, { signal }), (answers) =>
        answers.map((answer) => this.check(answer)).find((wrong) => wrong !== undefined),
      );
    }
    await this.leave(model);
    file.remove();
  }

  /** The load is stopped while it runs, or just before or behind. */
  async stopLoad() {
    const file = this.model(`init-delay-ms ${this.random.integer(0, 20)}`);
    const model = await this.expect(() => this.load(file, { signal: this.abortingSignal(150) }));
    if (model !== undefined) await this.leave(model);
    file.remove();
  }

  /** Nobody disposes of it. */
  async forget() {
    const file = this.model();
    const model = await this.load(file);
    if (this.random.chance(0.5)) await this.ask(model);
    await this.ledger.close(this.cycle);
    file.remove();
  }

  /** A worker thread has the model when it is terminated. */
  async worker() {
    const { random, isolation, release, cycle } = this;
    const hangs = isolation === 'process' && random.chance(0.05);
    const file = this.model('init-delay-ms 5', ...(hangs ? ['fail decode hang 1'] : []));
    const worker = new Worker(new URL('worker.cjs', import.meta.url), {
      workerData: { file: file.file, runtimePath: runtimeOf(release), isolation, prompt: this.prompt() },
    });
    worker.on('error', (error) => this.ledger.violate(cycle, `in a worker: ${error.stack}`));
    const there = new Promise((resolve) => worker.once('message', resolve));
    if (random.chance(0.7)) await within(there, 5000);
    await sleep(random.below(random.chance(0.5) ? 10 : 150));
    if (!(await within(worker.terminate(), 20_000))) this.ledger.violate(cycle, 'a worker cannot be terminated');
    file.remove();
  }

  /** Asks several things at once. */
  async ask(model) {
    const { random } = this;
    for (let i = random.integer(1, 5); i > 0; i--) {
      if (random.chance(0.15)) this.compute(model);
      else this[random.weighted({ whole: 4, limited: 2, abandoned: 2, aborted: 2, signalled: 2 })](model);
    }
    if (random.chance(0.7)) await this.ledger.close(this.cycle);
    else await sleep(random.below(20));
  }

  /** At once, or when what runs is over. */
  async leave(model) {
    if (this.random.chance(0.3)) await this.ledger.close(this.cycle);
    if (this.random.chance(0.2)) await sleep(this.random.below(30));
    await model.dispose({ abort: this.random.chance(0.7) });
  }

  prompt() {
    return `c${this.cycle}r${this.#requests++}`;
  }

  request(prompt, promise, check) {
    void this.ledger.request(this.cycle, prompt, promise, this.allowed, check);
  }

  abortingSignal(withinMs = 30) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), this.random.below(withinMs));
    return controller.signal;
  }

  /** What was said so far; all of it unless it was stopped. */
  check({ text, finishReason }) {
    if (!this.text.startsWith(text)) return `${JSON.stringify(text)} is not what was said`;
    if (!['abort', 'length'].includes(finishReason) && text !== this.text) return `it ended early: ${finishReason}`;
    return undefined;
  }

  /** A model that has just failed takes no more. */
  start(model, options) {
    const prompt = this.prompt();
    try {
      return { prompt, generation: model.generate(prompt, options) };
    } catch (error) {
      this.request(prompt, Promise.reject(error));
      return undefined;
    }
  }

  whole(model) {
    const started = this.start(model);
    if (started === undefined) return;
    const { prompt, generation } = started;
    this.request(prompt, readAll(generation), ({ read, ...result }) =>
      read === result.text ? this.check(result) : `${JSON.stringify(read)} was read of ${JSON.stringify(result.text)}`,
    );
  }

  limited(model) {
    const maxNewTokens = this.random.integer(1, 50);
    const started = this.start(model, { maxNewTokens });
    const wanted = answer(Math.min(maxNewTokens, this.tokens));
    const check = (result) =>
      result.finishReason === 'abort' || result.text === wanted
        ? this.check(result)
        : `${JSON.stringify(result.text)} is not what ${maxNewTokens} tokens are`;
    if (started !== undefined) this.request(started.prompt, started.generation.result(), check);
  }

  /** The reader leaves. */
  abandoned(model) {
    const started = this.start(model);
    if (started === undefined) return;
    const { prompt, generation } = started;
    this.request(prompt, readSome(generation, this.random.integer(1, 5)), (result) => this.check(result));
  }

  aborted(model) {
    const started = this.start(model);
    if (started === undefined) return;
    const { prompt, generation } = started;
    setTimeout(() => generation.abort(), this.random.below(30));
    this.request(prompt, generation.result(), (result) => this.check(result));
  }

  signalled(model) {
    const onAbort = this.random.pick(['throw', 'return']);
    const started = this.start(model, { signal: this.abortingSignal(), onAbort });
    if (started === undefined) return;
    this.request(started.prompt, started.generation.result(), (result) => this.check(result));
  }

  compute(model) {
    const prompt = this.prompt();
    const signal = this.random.chance(0.3) ? this.abortingSignal() : undefined;
    this.request(prompt, model.runtime.hiddenStates({ prompt }, { signal }), ({ values }) =>
      values.every((value, index) => value === index) ? undefined : 'hidden states are not what they were',
    );
  }
}

async function readAll(generation) {
  let read = '';
  for await (const chunk of generation) if (chunk.type === 'text') read += chunk.text;
  return { read, ...(await generation) };
}

async function readSome(generation, chunks) {
  let left = chunks;
  for await (const chunk of generation) if (chunk.type === 'text' && --left === 0) break;
  return generation;
}
