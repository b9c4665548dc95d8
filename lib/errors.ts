/**
 * Every code an {@link RkllmError} can carry. Codes are part of the API: they are added to, never renamed.
 * `docs/troubleshooting.md` says for each one what causes it and what to do.
 */
export const errorCodes = [
  // options and input
  'RKLLM_INVALID_OPTION',
  'RKLLM_UNKNOWN_OPTION',
  'RKLLM_UNSUPPORTED_OPTION',
  'RKLLM_ADAPTER_UNKNOWN',
  'RKLLM_INVALID_INPUT',
  'RKLLM_EMPTY_PROMPT',
  'RKLLM_CONTEXT_OVERFLOW',
  'RKLLM_TEMPLATE_UNKNOWN',
  'RKLLM_TEMPLATE_FAILED',
  'RKLLM_TEMPLATE_TWICE',
  // the model on disk
  'RKLLM_MODEL_NOT_FOUND',
  'RKLLM_MODEL_NOT_RECOGNIZED',
  'RKLLM_MODEL_CONFIG_INVALID',
  'RKLLM_MODEL_INVALID',
  'RKLLM_MODEL_INCOMPATIBLE',
  'RKLLM_TOKENIZER_NOT_FOUND',
  'RKLLM_TOKENIZER_INVALID',
  // what runs the model
  'RKLLM_BACKEND_UNKNOWN',
  'RKLLM_ONNX_NOT_INSTALLED',
  'RKLLM_ONNX_LOAD_FAILED',
  'RKLLM_ADDON_NOT_FOUND',
  'RKLLM_RUNTIME_NOT_FOUND',
  'RKLLM_RUNTIME_INVALID',
  'RKLLM_RUNTIME_UNSUPPORTED',
  'RKLLM_UNSUPPORTED_BY_RUNTIME',
  'RKLLM_PLATFORM_UNSUPPORTED',
  'RKLLM_DRIVER_NOT_FOUND',
  'RKLLM_DRIVER_TOO_OLD',
  'RKLLM_NPU_ACCESS_DENIED',
  'RKLLM_NPU_MEMORY',
  'RKLLM_TOO_MANY_OPEN_FILES',
  'RKLLM_OUT_OF_MEMORY',
  'RKLLM_INIT_FAILED',
  'RKLLM_RUN_FAILED',
  'RKLLM_RUNTIME_HUNG',
  'RKLLM_RUNTIME_CRASHED',
  'RKLLM_WORKER_FAILED',
  'RKLLM_RESPONSE_INVALID',
  // use over time
  'RKLLM_QUEUE_FULL',
  'RKLLM_QUEUE_TIMEOUT',
  'RKLLM_CHAT_BUSY',
  'RKLLM_STREAM_CONSUMED',
  'RKLLM_DISPOSED',
] as const;

/** The stable, machine-readable reason of an {@link RkllmError}. */
export type RkllmErrorCode = (typeof errorCodes)[number];

/** What an {@link RkllmError} is made of, besides its code and message. */
export interface RkllmErrorInit {
  /** The next step to take, as a full sentence. */
  readonly hint: string;
  /** Facts about the failure: plain values that survive `JSON.stringify`. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** The error that this one explains. */
  readonly cause?: unknown;
}

/** A registered symbol, so that errors made by another copy of this package are recognized too. */
const brand = Symbol.for('rkllm.error');

/**
 * The one error class of this library. Tell errors apart by {@link RkllmError.code}, never by message.
 */
export class RkllmError extends Error {
  /** Always `'RkllmError'`. */
  override readonly name = 'RkllmError';
  /** The stable reason. */
  readonly code: RkllmErrorCode;
  /** The next step to take. */
  readonly hint: string;
  /** Facts about the failure, such as the paths that were tried. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: RkllmErrorCode, message: string, init: RkllmErrorInit) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = code;
    this.hint = init.hint;
    this.details = init.details ?? {};
    Object.defineProperty(this, brand, { value: true });
  }
}

/**
 * Whether `error` is an {@link RkllmError}, also when another copy of this package made it.
 *
 * @param code - when given, the error must carry this code.
 */
export function isRkllmError(error: unknown, code?: RkllmErrorCode): error is RkllmError {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false;
  return code === undefined || ('code' in error && error.code === code);
}
