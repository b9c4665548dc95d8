/** Images, videos or sounds as the model's encoder (a `.rknn` model of its own) gives them, one after the other. */
export interface Media {
  /** Copied by the call that gets them. */
  readonly embeddings: Float32Array;
  /** How many there are; default 1. */
  readonly count?: number;
  /** Tokens of one image, of one frame of a video, or of one sound. */
  readonly tokensEach: number;
  /** Frames of one video; default 1. */
  readonly framesEach?: number;
  /** Size of the encoder's input, for models that want it. */
  readonly width?: number;
  /** As `width`, in pixels. */
  readonly height?: number;
  /** The model's special tokens: before it, after it, and for each of its tokens. Before 1.3.0: see `imageTags`. */
  readonly start?: string;
  /** The special token after it, as `start`. */
  readonly end?: string;
  /** The special token in the place of each of its tokens, as `start`. */
  readonly content?: string;
}

/** What a prompt has marks for: an `<image>` for each image, a `<video>` for each video. */
export interface PromptMedia {
  /** For each `<image>` in the prompt, in order. */
  readonly image?: Media | undefined;
  /** For each `<video>` in the prompt, in order. From runtime 1.3.0 on. */
  readonly video?: Media | undefined;
  /** For each sound. From runtime 1.3.1 on. */
  readonly audio?: Media | undefined;
}

/** Kinds of {@link Media}. */
export type MediaKind = 'image' | 'video' | 'audio';
