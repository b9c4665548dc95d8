import { errorCodes, isRkllmError, RkllmError, type RkllmErrorCode } from '../../errors.js';
import type { Pace } from '../../options/pace.js';
import type { ComputedOutput, ResolvedSampling, RunEnd, RunInput, RunRequest, TokenBatch } from '../backend.js';
import type { BackendModelInfo } from '../model-info.js';
import type { Matrix } from '../runtime-controls.js';

/** What an engine needs to load a model. Crosses the channel, so: plain values only. */
export interface EngineInit {
  readonly path: string;
  readonly maxContextLength: number | undefined;
  readonly sampling: ResolvedSampling;
  readonly threads: number | undefined;
  readonly pace: Pace | undefined;
  /** See {@link LoadRequest.prefillChunk}. */
  readonly prefillChunk: number | undefined;
  /** Memory that can be had, in bytes; undefined: what the system says. */
  readonly freeMemory: number | undefined;
}

/** From the model's owner to its engine. The first message is `load`, and one `run` or `compute` is answered before the next. */
export type ToEngine =
  | { readonly type: 'load'; readonly init: EngineInit }
  | { readonly type: 'run'; readonly request: RunRequest }
  | { readonly type: 'compute'; readonly output: ComputedOutput; readonly input: RunInput }
  | { readonly type: 'abort' }
  | { readonly type: 'count'; readonly id: number; readonly input: RunInput }
  | { readonly type: 'close' };

/**
 * From the engine to the model's owner. `loaded` or `failed` answers `load`; `ended` or `failed` is the last of a run;
 * `computed` (with nothing when it was stopped) or `failed` answers `compute`;
 * `counted` or `not-counted` answers `count`, at any time after the load.
 */
export type FromEngine =
  | { readonly type: 'loaded'; readonly info: BackendModelInfo; readonly gives: readonly ComputedOutput[] }
  | { readonly type: 'computed'; readonly matrix: Matrix | undefined }
  | { readonly type: 'tokens'; readonly batch: TokenBatch }
  | { readonly type: 'ended'; readonly end: RunEnd }
  | { readonly type: 'counted'; readonly id: number; readonly tokens: number }
  | { readonly type: 'not-counted'; readonly id: number; readonly error: PlainError }
  | { readonly type: 'failed'; readonly error: PlainError };

/** An RkllmError as plain values: an error object that crosses threads loses its class and its fields. */
export interface PlainError {
  readonly code: RkllmErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly cause: string | undefined;
}

/** @param fallback - explains an error that nobody expected. */
export function toPlainError(error: unknown, fallback: (error: unknown) => RkllmError): PlainError {
  const known = isRkllmError(error) ? error : fallback(error);
  const cause = known.cause instanceof Error ? known.cause.message : undefined;
  return { code: known.code, message: known.message, hint: known.hint, details: known.details, cause };
}

export function fromPlainError(plain: PlainError): RkllmError {
  const code = errorCodes.find((known) => known === plain.code) ?? 'RKLLM_WORKER_FAILED';
  return new RkllmError(code, plain.message, {
    hint: plain.hint,
    details: plain.details,
    cause: plain.cause === undefined ? undefined : new Error(plain.cause),
  });
}
