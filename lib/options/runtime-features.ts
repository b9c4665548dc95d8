import type { MediaKind } from '../backends/media.js';

/** What came with a release of the vendor's runtime. */
interface Feature {
  readonly since: string;
  /** What else differs between releases, for the documentation. */
  readonly note?: string;
}

/** What a prompt may have marks for. The checks and docs/runtime.md are made of it. */
export const runtimeInputs: Readonly<Record<MediaKind | 'severalImages', Feature>> = {
  image: { since: '1.1.0' },
  severalImages: { since: '1.2.1b1' },
  video: { since: '1.3.0' },
  audio: { since: '1.3.1' },
};

/** What has no option, call or input of its own. */
export const runtimeFeatures = {
  /** The runtime takes sampling options with each generation, and not only at load. */
  samplingPerGeneration: { since: '1.3.0', note: "before, with `sampling: 'reload'`, by loading again" },
  /** It can be told to leave prompts as they are, so there is something to choose with `template: 'runtime'`. */
  runtimeTemplate: { since: '1.2.0' },
  /** It keeps the prefix that a prompt has in common with the one before. */
  prefixReuse: { since: '1.2.0' },
} as const satisfies Readonly<Record<string, Feature>>;
