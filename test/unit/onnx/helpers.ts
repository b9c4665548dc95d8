import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BackendModel, LoadRequest, Run, RunEnd, RunRequest } from '../../../lib/backends/backend.js';
import { createOnnxBackend, type OnnxBackendOptions } from '../../../lib/backends/onnx/index.js';

/** Makes directories that go with the test file, and models that do, too. */
export class Fixtures {
  readonly #root = mkdtempSync(path.join(tmpdir(), 'rkllm-onnx-'));
  readonly #models: BackendModel[] = [];
  #count = 0;

  directory(name = `model-${this.#count++}`): string {
    return path.join(this.#root, name);
  }

  async load(
    location: string,
    request: Partial<LoadRequest> = {},
    options: OnnxBackendOptions = {},
  ): Promise<BackendModel> {
    const model = await createOnnxBackend(options).load(loadRequest(location, request));
    this.#models.push(model);
    return model;
  }

  async cleanUp(): Promise<void> {
    await Promise.all(this.#models.map((model) => model.dispose()));
    rmSync(this.#root, { recursive: true, force: true });
  }
}

export function loadRequest(location: string, request: Partial<LoadRequest> = {}): LoadRequest {
  return {
    path: location,
    maxContextLength: undefined,
    maxNewTokens: undefined,
    sampling: {},
    threads: 1,
    runtimePath: undefined,
    signal: undefined,
    ...request,
  };
}

export interface Finished {
  readonly tokens: number[];
  readonly text: string;
  readonly end: RunEnd;
}

export async function generate(
  model: BackendModel,
  input: string | readonly number[],
  request: Partial<RunRequest> = {},
): Promise<Finished> {
  return readAll(model.start(runRequest(input, request)));
}

export function runRequest(input: string | readonly number[], request: Partial<RunRequest> = {}): RunRequest {
  return {
    input:
      typeof input === 'string' ? { type: 'text', text: input } : { type: 'tokens', tokenIds: Int32Array.from(input) },
    maxNewTokens: undefined,
    sampling: {},
    ...request,
  };
}

export async function readAll(run: Run): Promise<Finished> {
  const tokens: number[] = [];
  const bytes: Uint8Array[] = [];
  for (;;) {
    await run.readable();
    const batch = run.drain();
    if (batch === undefined) break;
    tokens.push(...batch.tokenIds);
    bytes.push(batch.bytes);
  }
  return { tokens, text: Buffer.concat(bytes).toString('utf8'), end: await run.ended };
}

/** Waits for the first token. */
export async function firstToken(run: Run): Promise<number> {
  await run.readable();
  const id = run.drain()?.tokenIds[0];
  if (id === undefined) throw new Error('The run ended without a token.');
  return id;
}

/** Rewrites a JSON file of a model. */
export function editJson(directory: string, file: string, change: (json: Record<string, unknown>) => unknown): void {
  const target = path.join(directory, file);
  writeFileSync(target, JSON.stringify(change(JSON.parse(readFileSync(target, 'utf8')) as Record<string, unknown>)));
}
