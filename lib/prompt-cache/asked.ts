import { absolutePath } from '../absolute-path.js';
import type { BackendModel } from '../backends/backend.js';
import { CacheDirectory } from '../cache-directory.js';
import { RkllmError } from '../errors.js';
import type { loadTable } from '../options/load.js';
import type { Checked } from '../options/table.js';
import { noPromptCacheDirectory, noPromptCacheFiles, promptCacheUnusable } from '../refusals.js';
import type { ResolvedModel } from '../resolve-model.js';
import { PromptCacheFiles } from './files.js';

type Asked = Pick<Checked<typeof loadTable>, 'promptCacheDirectory' | 'promptCacheFiles'>;

/** Where a model keeps what it has computed. */
export interface PromptCaches {
  readonly cacheDirectory: CacheDirectory | undefined;
  readonly promptCacheFiles: PromptCacheFiles | undefined;
}

const defaultMaxBytes = 2 ** 31;

/** @throws RkllmError `RKLLM_INVALID_OPTION`. */
export function refuseNoDirectory({ promptCacheFiles }: Asked): void {
  if (promptCacheFiles === undefined || promptCacheFiles.directory !== undefined) return;
  throw new RkllmError('RKLLM_INVALID_OPTION', 'loadModel(): promptCacheFiles has no directory.', {
    hint: "Name one: promptCacheFiles: { directory: '…' }, or leave promptCacheFiles out.",
    details: { owner: 'loadModel()', option: 'promptCacheFiles' },
  });
}

/**
 * What was asked for a model that has just been loaded. A substitute keeps nothing in files. What is refused frees the model.
 *
 * @throws RkllmError `RKLLM_UNSUPPORTED_OPTION` or `RKLLM_INVALID_OPTION`.
 */
export async function promptCachesOf(
  { backend, path, substituteFor }: ResolvedModel,
  asked: Asked,
  model: BackendModel,
): Promise<PromptCaches> {
  const { promptCacheDirectory, promptCacheFiles } = substituteFor === undefined ? asked : {};
  try {
    return {
      promptCacheFiles: await openFiles(promptCacheFiles, backend.name, path, model),
      // Last: whatever fails from here on has nobody to remove it.
      cacheDirectory: openDirectory(promptCacheDirectory, backend.name, model),
    };
  } catch (error) {
    await model.dispose();
    throw error;
  }
}

function openDirectory(parent: string | undefined, backend: string, model: BackendModel): CacheDirectory | undefined {
  if (parent === undefined) return undefined;
  if (model.capabilities.kvReuse || model.runtime === undefined) throw noPromptCacheDirectory(backend);
  return new CacheDirectory(parent);
}

async function openFiles(
  asked: Asked['promptCacheFiles'],
  backend: string,
  path: string | undefined,
  model: BackendModel,
): Promise<PromptCacheFiles | undefined> {
  const { directory, maxBytes = defaultMaxBytes } = asked ?? {};
  if (directory === undefined) return undefined;
  if (model.runtime === undefined || path === undefined) throw noPromptCacheFiles(backend);
  try {
    return await PromptCacheFiles.open({ directory: absolutePath(directory), maxBytes }, path, model.info);
  } catch (error) {
    throw promptCacheUnusable('loadModel()', error);
  }
}
