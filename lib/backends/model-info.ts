import type { Pace } from '../options/pace.js';

/** Facts about the vendor's runtime, for backends that have one. */
export interface RuntimeInfo {
  /** Absolute path of the library that was loaded. */
  readonly path: string;
  /** Release as the library states it, such as `1.1.1`; undefined when it does not say. */
  readonly version: string | undefined;
  /** ABI generation that the addon speaks to it, such as `1.1`; `1.2.0 to 1.2.1b1` where releases look alike. */
  readonly generation: string;
  /** What tells the generation, in the order in which it was looked at. */
  readonly evidence: readonly RuntimeEvidence[];
  /** The option `runtimeVersion` took the place of what the file says. */
  readonly overridden: boolean;
}

/** One thing that tells which release a runtime is. */
export interface RuntimeEvidence {
  /** What was looked at, such as `symbols`. */
  readonly source: string;
  /** What it showed. */
  readonly found: string;
  /** Which releases it speaks for; absent when it does not tell. */
  readonly suggests?: string;
}

/** Facts about a loaded model, as its backend knows them. */
export interface BackendModelInfo {
  /** Short name, such as the directory's or the file's. */
  readonly name: string;
  /** Prompt plus output, in tokens. */
  readonly contextLength: number;
  /** Quantization as far as it can be known, such as `w8a8` or `int8`. */
  readonly quantization: string | undefined;
  /** Jinja chat template found with the model. */
  readonly chatTemplate: string | undefined;
  /** The file that it was found in. */
  readonly chatTemplateFile?: string;
  /** Texts of the special tokens that a chat template may refer to. */
  readonly bosToken: string | undefined;
  /** Text of the token that ends a text; `undefined` where it is not known. */
  readonly eosToken: string | undefined;
  /** Texts of all special tokens; absent where they are not known. */
  readonly controlTokens?: readonly string[];
  /** The engine puts the first token (BOS) before every prompt by itself. Absent: no. */
  readonly addsBosToken?: boolean;
  /** The speed that the engine keeps to ({@link LoadRequest.pace}). Absent: as fast as it goes. */
  readonly pace?: Pace | undefined;
  /** Only for backends that load the vendor's runtime. */
  readonly runtime: RuntimeInfo | undefined;
}
