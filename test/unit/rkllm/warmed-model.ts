import { mkdtempSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { LoadModelOptions, Model, ModelRuntime } from 'rkllm';
import { load } from './batches.js';
import { directory, FakeModel, type Release } from './fake-model.js';

export const reply = ['details', 'token Sure,', 'token \\x20here', 'token \\x20it', 'token \\x20is.'];
export const system = 'You are a helpful assistant that answers in few words and never invents a thing.';
const words = (text: string): number => text.split(/\s+/u).filter((word) => word !== '').length;
/** What stands before a question in Phi-3's template. */
export const opening = words(`<|system|>\n${system}<|end|>\n<|user|>\n`);

interface Fill {
  readonly computed: number;
  readonly reused: number;
}

/** What was computed of each prompt that reached the runtime. */
export const fills = (fake: FakeModel): Fill[] =>
  fake.journal
    .flatMap((line) => [...line.matchAll(/^prefill (\d+) reused (\d+)$/gu)])
    .map(([, computed, reused]) => ({ computed: Number(computed), reused: Number(reused) }));
export const loads = (fake: FakeModel): number =>
  fake.calls.filter((line) => line.startsWith('load-prompt-cache')).length;

export const newDirectory = (): string => mkdtempSync(path.join(directory, 'prompt-caches-'));
/** Directories of entries; those that are being written have other names. */
export const entriesIn = (parent: string): string[] =>
  readdirSync(parent).filter((name) => /^[0-9a-f]{64}$/u.test(name));

export interface Subject {
  readonly fake: FakeModel;
  readonly model: Model;
  readonly runtime: ModelRuntime;
}

export async function subject(
  release: Release,
  options: LoadModelOptions = {},
  fake = new FakeModel(...reply),
): Promise<Subject> {
  return { fake, ...(await load(release, fake, { template: 'phi3', ...options })) };
}

/** A model that keeps prompt caches in files of this directory. */
export const filing = (
  release: Release,
  parent: string,
  fake?: FakeModel,
  options: LoadModelOptions = {},
): Promise<Subject> => subject(release, { promptCacheFiles: { directory: parent }, ...options }, fake);

export const warmed = { source: 'computed', isStored: true, problem: undefined };
