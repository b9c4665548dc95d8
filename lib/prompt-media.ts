import { isFloat32Array } from 'node:util/types';
import type { BackendModel } from './backends/backend.js';
import type { Media, MediaKind, PromptMedia } from './backends/media.js';
import { knownEmbeddingWidth } from './backends/embedding-width.js';
import type { RuntimeControls } from './backends/runtime-controls.js';
import { RkllmError } from './errors.js';
import { describe } from './options/describe.js';
import { runtimeInputs } from './options/runtime-features.js';

/** Where they go in the prompt; the mark of sounds is not documented. */
const marks: Readonly<Record<MediaKind, string | undefined>> = {
  image: '<image>',
  video: '<video>',
  audio: undefined,
};

/**
 * Takes the images, videos and sounds out of an input.
 *
 * @returns the input without them.
 * @throws RkllmError `RKLLM_INVALID_INPUT`, `RKLLM_UNSUPPORTED_OPTION` or `RKLLM_UNSUPPORTED_BY_RUNTIME`.
 */
export function splitMedia(
  input: unknown,
  { capabilities, runtime }: Pick<BackendModel, 'capabilities'> & { readonly runtime: RuntimeControls | undefined },
): { readonly rest: unknown; readonly media: PromptMedia | undefined } {
  if (typeof input !== 'object' || input === null || !('prompt' in input)) return { rest: input, media: undefined };
  const given: [string, unknown][] = Object.entries(input);
  const rest = Object.fromEntries(given.filter(([name]) => !Object.hasOwn(marks, name)));
  const media: Partial<Record<MediaKind, Media>> = {};
  for (const [name, value] of given) {
    if (!Object.hasOwn(marks, name) || value === undefined) continue;
    const kind = name as MediaKind;
    if (capabilities.media?.includes(kind) !== true) throw unsupported(kind);
    media[kind] = checkMedia(kind, value, knownEmbeddingWidth(runtime));
    const { count = 1 } = media[kind];
    checkMarks(kind, rest['prompt'], count);
    if (count > 1 && runtime?.has(runtimeInputs.severalImages.since) === false) throw severalUnsupported();
  }
  return { rest, media: Object.keys(media).length === 0 ? undefined : media };
}

const figures = ['count', 'tokensEach', 'framesEach', 'width', 'height'] as const;
const texts = ['start', 'end', 'content'] as const;

/** Reads each field once, and returns a copy: the generation may wait while the caller uses the object again. */
function checkMedia(kind: MediaKind, given: unknown, width: number): Media {
  if (typeof given !== 'object' || given === null) throw invalid(`${kind} is ${describe(given)}.`);
  const { embeddings: source } = given as Media;
  if (!isFloat32Array(source)) throw invalid(`embeddings of ${kind} is ${describe(source)}, not a Float32Array.`);
  const fields = Object.fromEntries(
    [...figures, ...texts].flatMap((name) => {
      const value: unknown = (given as Media)[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  for (const name of figures) {
    const value: unknown = fields[name];
    const isOptional = name !== 'tokensEach' && value === undefined;
    if (!isOptional && !(Number.isSafeInteger(value) && Number(value) > 0 && Number(value) < 2 ** 31)) {
      throw invalid(`${name} of ${kind} is ${describe(value)}.`);
    }
  }
  const wrong = texts.find((name) => fields[name] !== undefined && typeof fields[name] !== 'string');
  if (wrong !== undefined) throw invalid(`${wrong} of ${kind} is ${describe(fields[wrong])}.`);
  const media = { ...fields, embeddings: new Float32Array(source) } as Media;
  const { embeddings, count = 1, tokensEach, framesEach = 1 } = media;
  const vectors = count * tokensEach * framesEach;
  // Some encoders give several embeddings for each token.
  if (embeddings.length === 0 || embeddings.length % (vectors * width) !== 0) {
    throw invalid(`${kind} has ${embeddings.length} values for ${vectors} tokens of ${width} values each.`);
  }
  return media;
}

/** The runtime takes an embedding for each mark: one that is too many would make it read beyond their end. */
function checkMarks(kind: MediaKind, prompt: unknown, count: number): void {
  const mark = marks[kind];
  if (mark === undefined || typeof prompt !== 'string') return;
  const found = prompt.split(mark).length - 1;
  if (found !== count) throw invalid(`The prompt has ${found} of ${mark} for ${count}.`);
}

function invalid(found: string): RkllmError {
  return new RkllmError('RKLLM_INVALID_INPUT', `A model cannot be asked this. ${found}`, {
    hint: 'Pass { prompt, image: { embeddings: Float32Array, count, tokensEach } }, and one <image> in the prompt for each.',
  });
}

function unsupported(kind: MediaKind): RkllmError {
  const { since } = runtimeInputs[kind];
  return new RkllmError('RKLLM_UNSUPPORTED_OPTION', `This model takes no ${kind}.`, {
    hint: `It needs the NPU and a runtime from ${since} on that states its version, or runtimeVersion.`,
    details: { kind, since },
  });
}

function severalUnsupported(): RkllmError {
  const { since } = runtimeInputs.severalImages;
  return new RkllmError('RKLLM_UNSUPPORTED_BY_RUNTIME', `Several images need a runtime from ${since} on.`, {
    hint: 'Pass one image, or use a newer librkllmrt.so.',
    details: { since },
  });
}
