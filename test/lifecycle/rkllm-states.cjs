/**
 * The states of a native model, each reached without a race: by what the fake runtime's script says and by what its
 * journal shows. Below the backend, on the addon's own functions. For Jest, for child processes and for workers.
 */
const { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { nativeAddon } = require('../../dist/backends/rkllm/addon.js');
const { hostEnvironment } = require('../../dist/backends/rkllm/isolated/environment.js');
const { IsolatedDriver } = require('../../dist/backends/rkllm/isolated/isolated-driver.js');

const root = path.resolve(__dirname, '..', '..');
const fakes = process.env.RKLLM_FAKES ?? path.join(root, 'build', 'Release', 'fake');
/** The release of the fake runtime where a state does not need a certain one. */
const anyRelease = process.env.RKLLM_TEST_RELEASE ?? '1.1.1';
const isolated = process.env.RKLLM_TEST_ISOLATION === 'process';
const addon = isolated ? new IsolatedDriver({ environment: hostEnvironment(process.env), known: {} }) : nativeAddon();

/** A turn of the event loop and a little more. */
const pause = (ms = 1) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for what no event announces. The limit only keeps a failed test from waiting on after its end. */
async function until(holds) {
  const end = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${holds}`);
    await pause();
  }
}

let directory;
let files = 0;

/** Where the fake runtime enters the calls of all models: it has one journal per process. */
let journal = process.env.FAKE_RKLLM_JOURNAL;
/** What the models since then have said. */
let said = [];

function newFile() {
  directory ??= mkdtempSync(path.join(tmpdir(), 'rkllm-states-'));
  return path.join(directory, `${process.pid}-${files++}`);
}

/** Begins a new journal, for the models that are made from now on. */
function newJournal() {
  journal = newFile();
  said = [];
}

/** Writes a fake model. */
function fakeModel(script) {
  const file = `${newFile()}.rkllm`;
  if (journal === undefined) newJournal();
  writeFileSync(file, ['#fake-rkllm', `journal ${journal}`, ...script, ''].join('\n'));
  return file;
}

function removeFakeModels() {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  directory = undefined;
}

/** The calls that reached the runtime since the last journal began, without the values of init. */
function calls() {
  if (journal === undefined || !existsSync(journal)) return [];
  const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => line.replace(/^init .*/u, 'init'));
}

/** How many loads the runtime itself refused since then. */
function refusedLoads() {
  return said.flat().filter(({ code }) => code === 'RKLLM_INIT_FAILED').length;
}

function answer({ question, text, floats }) {
  addon.answer(question, text === undefined ? new Float32Array(floats) : Int32Array.of(1, 2, 3));
}

/** A native model with everything it has said. It answers what the runtime asks, but for the first questions. */
class Subject {
  constructor(script, choices = {}) {
    this.file = choices.file ?? fakeModel(script);
    this.runtime = choices.runtime ?? anyRelease;
    this.events = [];
    this.runs = [];
    const options = {
      runtimePath: path.join(fakes, `librkllmrt-${this.runtime}.so`),
      modelPath: this.file,
      maxContextLength: 64,
      batchSize: choices.batchSize,
      hasTokenizer: true,
      hasEmbedder: true,
    };
    said.push(this.events);
    const { events } = this; // not `this`: a forgotten subject must be collectable
    let unanswered = choices.unanswered ?? 0;
    this.model = addon.load(options, (event) => {
      events.push(event);
      if (event.type === 'asked' && unanswered-- <= 0) answer(event);
    });
  }

  said(type) {
    return this.events.filter((event) => event.type === type);
  }

  async saying(type, count = 1) {
    await until(() => this.said(type).length >= count);
    return this.said(type)[count - 1];
  }

  /** Starts a run that stops by itself after three tokens, unless told otherwise (Infinity: no limit). Its index is its id. */
  generate(maxNewTokens = 3, input = 'hi') {
    const options = maxNewTokens === Infinity ? undefined : { maxNewTokens };
    const run = addon.start(this.model, this.runs.length, input, options);
    this.runs.push(run);
    return run;
  }

  abort(index = 0) {
    addon.abort(this.model, this.runs[index]);
  }

  dispose() {
    addon.dispose(this.model);
  }

  /** The outcomes of all runs, when all have ended. */
  async outcomes() {
    await this.saying('ended', this.runs.length);
    return [...this.said('ended')].sort((a, b) => a.run - b.run).map(({ outcome }) => outcome);
  }
}

const endless = ['token a', 'endless', 'token-us 300'];

/** Each returns a subject that is in the state, and stays in it long enough for a test to act. */
const states = {
  /** In the very turn in which the handle was made. */
  async created() {
    return new Subject([...endless, 'init-delay-ms 60']);
  },
  async loading() {
    const subject = new Subject([...endless, 'init-delay-ms 150']);
    await until(() => calls().includes('init'));
    return subject;
  },
  async ready() {
    const subject = new Subject(endless);
    await subject.saying('loaded');
    return subject;
  },
  async running() {
    const subject = await states.ready();
    const run = subject.generate(Infinity);
    await until(() => addon.arm(run));
    return subject;
  },
  /** The runtime waits for token ids. */
  async asking() {
    const subject = new Subject([...endless, 'no-tokenizer'], { runtime: '1.3.1', unanswered: 1 });
    subject.generate(Infinity);
    await subject.saying('asked');
    return subject;
  },
  /** It has begun to write, and waits for an embedding. */
  async embedding() {
    const subject = new Subject([...endless, 'no-embedding'], { runtime: '1.3.0', unanswered: 2 });
    subject.generate(Infinity);
    const { question, floats } = await subject.saying('asked');
    addon.answer(question, new Float32Array(floats));
    await subject.saying('asked', 2);
    return subject;
  },
  /** The runtime takes its time to stop. */
  async aborting() {
    const subject = new Subject([...endless, 'abort-delay-ms 150']);
    const run = subject.generate(Infinity);
    await until(() => addon.arm(run));
    subject.abort();
    await until(() => calls().includes('abort'));
    return subject;
  },
  /** The runtime takes its time to free the handle. */
  async disposing() {
    const subject = new Subject([...endless, 'destroy-delay-ms 150']);
    await subject.saying('loaded');
    subject.dispose();
    return subject;
  },
  async disposed() {
    const subject = await states.ready();
    subject.dispose();
    await subject.saying('disposed');
    return subject;
  },
  async failed() {
    const subject = new Subject([...endless, 'init-code -1']);
    await subject.saying('failed');
    return subject;
  },
};

module.exports = {
  Subject,
  addon,
  anyRelease,
  calls,
  fakeModel,
  newJournal,
  pause,
  refusedLoads,
  removeFakeModels,
  states,
  until,
};
