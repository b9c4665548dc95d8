import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BackendModel, LoadRequest, Run, RunEnd, RunRequest } from '../../../lib/backends/backend.js';
import { isRkllmError } from '../../../lib/errors.js';
import { createRkllmBackend } from '../../../lib/backends/rkllm/index.js';
import { isolation } from '../../support/isolation.js';
import { root } from '../../support/run-node.js';

export { isolation };

/** The checkout's build, or that of the sanitizers. */
const fakes = process.env['RKLLM_FAKES'] ?? path.join(root, 'build', 'Release', 'fake');

/** One of the libraries that `test/native/` builds. */
export function fakeRuntime(name: string): string {
  return path.join(fakes, `librkllmrt-${name}.so`);
}

/** A release of each generation, the oldest first. */
export const releases = ['1.1.1', '1.2.0', '1.2.1b1', '1.2.3', '1.3.0', '1.3.1'] as const;
export type Release = (typeof releases)[number];

/** Whether a release is at least another one of the list. */
export function isFrom(release: Release, since: Release): boolean {
  return releases.indexOf(release) >= releases.indexOf(since);
}

/** `done`, or the code of the RkllmError that a promise rejects with. */
export async function outcomeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (isRkllmError(error)) return error.code;
    throw error;
  }
  return 'done';
}

/** A directory of its own for each test file; removed at its end. */
export const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-fake-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;

/** A fake model that behaves as the script says, and the journal that the fake runtime keeps about it. */
export class FakeModel {
  readonly path = path.join(directory, `model-${(files++).toString()}.rkllm`);
  readonly #journal = `${this.path}.journal`;

  constructor(...script: string[]) {
    writeFileSync(this.path, ['#fake-rkllm', `journal ${this.#journal}`, ...script, ''].join('\n'));
    made.add(this);
  }

  /** The calls that reached the runtime so far. */
  get journal(): string[] {
    return existsSync(this.#journal) ? readFileSync(this.#journal, 'utf8').trimEnd().split('\n') : [];
  }

  /** The journal without the values of init. */
  get calls(): string[] {
    return this.journal.map((line) => line.replace(/^init .*/u, 'init'));
  }

  async load(choices: Partial<LoadRequest> = {}): Promise<BackendModel> {
    const model = await createRkllmBackend().load({
      path: this.path,
      maxContextLength: undefined,
      maxNewTokens: undefined,
      sampling: {},
      threads: undefined,
      runtimePath: fakeRuntime('1.1.1'),
      signal: undefined,
      ...choices,
      npu: { isolation, ...choices.npu },
    });
    open.add(model);
    return model;
  }
}

const open = new Set<BackendModel>();
const made = new Set<FakeModel>();

/** What a test has left loaded would keep its threads until the end of the process. */
afterEach(async () => {
  const models = [...open];
  open.clear();
  await Promise.all(models.map((model) => model.dispose()));
  const violations = [...made].flatMap(({ journal }) => journal.filter((line) => line.startsWith('violation')));
  made.clear();
  if (violations.length > 0) throw new Error(`The addon broke a promise to the runtime: ${violations.join('; ')}`);
});

/** Disposes of a model before the test's end. */
export async function dispose(model: BackendModel): Promise<void> {
  open.delete(model);
  await model.dispose();
}

export function prompt(text = 'hi', maxNewTokens?: number): RunRequest {
  return { input: { type: 'text', text }, maxNewTokens, sampling: {} };
}

/** Everything a run gave. */
export interface Outcome {
  readonly bytes: Buffer;
  readonly text: string;
  readonly texts: string[];
  readonly tokenIds: number[];
  readonly end: RunEnd;
}

/** Reads a run to its end, as the layer above does: drain, else wait. */
export async function read(run: Run): Promise<Outcome> {
  const tokens: { id: number; bytes: Buffer }[] = [];
  let over = false as boolean; // changed by the callback below
  const markOver = (): void => void (over = true);
  run.ended.then(markOver, markOver);
  for (;;) {
    const batch = run.drain();
    if (batch === undefined) {
      if (over) break;
      await run.readable();
      continue;
    }
    batch.tokenIds.forEach((id, index) => {
      const start = index === 0 ? 0 : batch.ends[index - 1];
      tokens.push({ id, bytes: Buffer.from(batch.bytes.subarray(start, batch.ends[index])) });
    });
  }
  const bytes = Buffer.concat(tokens.map((token) => token.bytes));
  return {
    bytes,
    text: bytes.toString(),
    texts: tokens.map((token) => token.bytes.toString()),
    tokenIds: tokens.map(({ id }) => id),
    end: await run.ended,
  };
}

/** Waits until something holds that no event announces. The test's time limit is the only one. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}
