import path from 'node:path';
import type { Board } from '../../board/index.js';
import { exists, locate, type Machine } from '../../board/machine.js';
import { conclude, type Check, type Subject } from '../../checks/check.js';
import { isRkllmError, type RkllmError } from '../../errors.js';
import { runtimeReleases } from '../../options/npu.js';
import { readRuntimeFile, type RuntimeFile } from './runtime-file.js';
import { findRuntime, runtimeSearch, systemDirectories, type RuntimeSearch } from './runtime-path.js';

const subject: Subject = {
  id: 'runtime',
  title: 'Runtime',
  why: "Rockchip's librkllmrt.so does the work on the NPU. It is not part of this package, and each release has an ABI of its own.",
};

/** What is known of the vendor's library, and the check that says it. */
export interface RuntimeFinding {
  readonly check: Check;
  /** As its file says. */
  readonly version: string | undefined;
}

/**
 * Finds the library as a load does, and reads it without loading it.
 *
 * @param given - by the option; a library that was asked for has to be there, on any computer.
 */
export async function checkRuntime(
  machine: Machine,
  { hasNpu }: Board,
  given: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<RuntimeFinding> {
  const missing = hasNpu || given !== undefined ? 'fail' : 'skip';
  const search = runtimeSearch(given, env);
  let file: string;
  try {
    const directories = search.directories.map((directory) => locate(machine, directory));
    file = findRuntime({ ...search, directories });
  } catch (error) {
    if (!isRkllmError(error)) throw error;
    const check =
      missing === 'fail'
        ? conclude(subject, 'fail', reasonOf(error, search), getRuntime)
        : conclude(subject, 'skip', 'none that can be used, and none is needed');
    return { check, version: undefined };
  }
  const content = await readRuntimeFile(file);
  if (content === undefined) {
    return {
      check: conclude(subject, missing, `${file} cannot be read`, `\`sudo chmod a+r ${file}\``),
      version: undefined,
    };
  }
  const needsOpenMp = content.mentions('libgomp.so.1') && !hasLibrary(machine, 'libgomp.so.1');
  const check = judge(file, content, hasNpu && needsOpenMp);
  return { check, version: content.version };
}

/** Of the directories that have no such file nothing is to be said but that. */
function reasonOf({ message, details }: RkllmError, { option, environment, directories }: RuntimeSearch): string {
  if (option !== undefined || (environment ?? '') !== '') return message;
  const tried = (details['tried'] as readonly string[]).filter((line) => !line.includes(': no librkllmrt'));
  return [`no librkllmrt.so in ${directories.join(', ')}`, ...tried].join('; ');
}

function hasLibrary(machine: Machine, name: string): boolean {
  return systemDirectories.some((directory) => exists(machine, path.join(directory, name)));
}

const getRuntime =
  'Take librkllmrt.so of https://github.com/airockchip/rknn-llm (rkllm-runtime/Linux/librkllm_api/aarch64) and copy it: ' +
  '`sudo cp librkllmrt.so /usr/lib/`, or name it with RKLLM_RUNTIME_PATH';

function judge(file: string, { version, mentions }: RuntimeFile, lacksOpenMp: boolean): Check {
  const spoken = `${runtimeReleases[0]} to ${runtimeReleases.at(-1) ?? ''}`;
  if (!mentions('rkllm_init')) return conclude(subject, 'fail', `${file} is another library`, getRuntime);
  if (!mentions('rkllm_run_async')) {
    return conclude(subject, 'fail', `1.0.x, which is not spoken (${spoken} are): ${file}`, getRuntime);
  }
  if (version !== undefined && !(runtimeReleases as readonly string[]).includes(version)) {
    return conclude(subject, 'fail', `${version}, which is not spoken (${spoken} are): ${file}`, getRuntime);
  }
  const found = `${version ?? `${releasesWith(mentions)}, not stated in the file`}: ${file}`;
  if (!lacksOpenMp) return conclude(subject, 'ok', found);
  return conclude(subject, 'warn', `${found}; it needs libgomp.so.1`, '`sudo apt-get install libgomp1`');
}

/** The functions that a release came with; which of the later ones it is, only loading shows. */
function releasesWith(mentions: RuntimeFile['mentions']): string {
  if (mentions('rkllm_get_kv_cache_size')) return '1.2.1 or later';
  return mentions('rkllm_clear_kv_cache') ? '1.2.0 or 1.2.1b1' : '1.1.x';
}
