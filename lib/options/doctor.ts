import { loadTable } from './load.js';
import type { OptionsOf, OptionTable } from './table.js';

/** Options of `doctor()`. */
export const doctorTable = {
  /**
   * A model to look at, too: a `.rkllm` file, an ONNX model's directory or `.onnx` file. Default: the environment variable
   * `RKLLM_MODEL`, else none.
   */
  model: { kind: 'string', defaultsTo: 'the environment variable RKLLM_MODEL, else none' },
  /** Size of the model's file in bytes, where it is known: a shorter file is an incomplete download. Default: unknown. */
  modelBytes: { kind: 'integer', min: 1, max: Number.MAX_SAFE_INTEGER, unit: 'bytes', defaultsTo: 'unknown' },
  /**
   * `true`: reads the whole file of the model and compares its checksum with the one that its download has left beside it,
   * where there is one: Hugging Face's cache or metadata, or a `.sha256` file. Default `false`.
   */
  verify: { kind: 'flag', defaultsTo: 'false' },
  /** The context that the model is to be loaded with, in tokens. An integer from 16; default 4096. */
  maxContextLength: { ...loadTable.maxContextLength, defaultsTo: '4096' },
  /** Path of the vendor's `librkllmrt.so`. Default: the environment variable `RKLLM_RUNTIME_PATH`, else the system's paths. */
  runtimePath: loadTable.runtimePath,
  /** `true`: a computer without an NPU that the vendor's runtime drives is a failure. Default `false`. */
  requireNpu: { kind: 'flag', defaultsTo: 'false' },
} as const satisfies OptionTable;

/** Options of `doctor()`. */
export interface DoctorOptions extends OptionsOf<typeof doctorTable> {}
