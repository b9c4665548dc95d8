import { statSync } from 'node:fs';
import { readBoard, type Board } from '../../board/index.js';
import { thisMachine } from '../../board/machine.js';
import type { Check } from '../../checks/check.js';
import { checkChip, checkDevices, checkDriver } from '../../checks/npu.js';
import { checkCpus, checkMemory, checkOpenFiles, type MemoryNeed } from '../../checks/resources.js';
import { isRkllmError, RkllmError, type RkllmErrorCode } from '../../errors.js';
import type { BackendModel, LoadRequest } from '../backend.js';
import {
  checkContext,
  checkModelChip,
  checkModelFile,
  checkModelRelease,
  checkQuantization,
  modelFileFailure,
  type ModelRelease,
} from './model-checks.js';
import { inspectModelFile, type ModelFile } from './model-file.js';
import { memoryNeedOf } from './model-memory.js';
import { parseModelName, type ModelName } from './model-name.js';
import { readRuntimeFile } from './runtime-file.js';
import { findRuntime, runtimeSearch } from './runtime-path.js';

/** What was seen before a load, for the load itself. */
export interface Seen {
  readonly file: ModelFile;
  /** Version of the NPU's driver, where it can be read. */
  readonly installedDriver: string | undefined;
}

/** What a model is looked at for. */
export interface ModelPlan {
  readonly file: string;
  /** In tokens. */
  readonly contextLength: number;
  /** Release of the runtime that will load it, where it is known. */
  readonly runtime: string | undefined;
  /** What the runtime will compute on; undefined: its own choice. */
  readonly cpus?: readonly number[] | undefined;
  /** Size of the whole file, where it is known. */
  readonly expectedBytes?: number | undefined;
}

/** Everything about the model itself. Only the file can fail; what goes by names warns. Reads a few hundred bytes. */
export function checkModel(plan: ModelPlan, board: Board): readonly Check[] {
  try {
    return checksOfModel(plan, inspectModelFile(plan.file, plan.expectedBytes), board);
  } catch (error) {
    if (!isRkllmError(error)) throw error;
    return [modelFileFailure(error)];
  }
}

function checksOfModel(plan: ModelPlan, seen: ModelFile, board: Board): readonly Check[] {
  const name = parseModelName(plan.file);
  const target = board.soc?.target;
  return [
    checkModelFile(plan.file, seen, plan.expectedBytes),
    checkModelChip(name, target),
    checkQuantization(name, target),
    checkModelRelease(releaseOf(seen, name), plan.runtime),
    checkContext(name, plan.contextLength),
  ];
}

/** What stands in the file counts more than its name. */
function releaseOf({ toolkitVersion }: ModelFile, { release }: ModelName): ModelRelease | undefined {
  if (toolkitVersion !== undefined) return { release: toolkitVersion, inFile: true };
  return release === undefined ? undefined : { release, inFile: false };
}

/** Of a file that is there. */
export function memoryNeedOfFile(file: string, contextLength: number): MemoryNeed {
  return memoryNeedOf(statSync(file).size, parseModelName(file), contextLength);
}

/** Everything that can be known of a whole file and its board before the runtime is touched, cheaply. */
export function preflight(plan: ModelPlan, seen: ModelFile, board: Board): readonly Check[] {
  return [
    ...checksOfModel(plan, seen, board),
    checkChip(board, false),
    checkDriver(board),
    checkDevices(board),
    checkMemory(board, memoryNeedOf(seen.bytes, parseModelName(plan.file), plan.contextLength)),
    checkOpenFiles(board),
    checkCpus(board, plan.cpus),
  ];
}

/** Converted models have that unless told otherwise; the runtime's own default of 512 is too small for a chat. */
export const defaultContextLength = 4096;

/**
 * Looks at the model and the board before a load, and tells of what stands out. It fails for nothing but the file: the
 * rest might be wrong, and the runtime will say. When the model then cannot be loaded, the error says what stood out.
 *
 * @throws RkllmError `RKLLM_MODEL_NOT_FOUND` or `RKLLM_MODEL_INVALID`.
 */
export async function loadAfterPreflight(
  request: LoadRequest,
  load: (seen: Seen) => Promise<BackendModel>,
): Promise<BackendModel> {
  request.signal?.throwIfAborted();
  const file = inspectModelFile(request.path);
  const board = readBoard(thisMachine());
  const checks = preflight(await planOf(request, file), file, board);
  const warnings = checks.filter(({ status }) => status === 'warn' || status === 'fail');
  for (const warning of warnings) request.onWarning?.(warning);
  try {
    return await load({ file, installedDriver: board.driver?.version });
  } catch (error) {
    throw warnings.length > 0 && isRkllmError(error) && !toldBefore.has(error.code)
      ? withWarnings(error, warnings)
      : error;
  }
}

async function planOf(
  { path: file = '', maxContextLength, runtimePath, npu }: LoadRequest,
  seen: ModelFile,
): Promise<ModelPlan> {
  // Reading the library is worth it only where there is something to compare its release with.
  const isCompared = releaseOf(seen, parseModelName(file)) !== undefined;
  return {
    file,
    contextLength: maxContextLength ?? defaultContextLength,
    runtime: npu?.runtimeVersion ?? (isCompared ? await versionOfRuntime(runtimePath) : undefined),
    cpus: npu?.cpus,
  };
}

/** A library that is not found is the load's to tell. */
async function versionOfRuntime(runtimePath: string | undefined): Promise<string | undefined> {
  try {
    return (await readRuntimeFile(findRuntime(runtimeSearch(runtimePath, process.env))))?.version;
  } catch {
    return undefined;
  }
}

/** These say themselves what is wrong, and that it is neither the model nor the board. */
const toldBefore: ReadonlySet<RkllmErrorCode> = new Set<RkllmErrorCode>([
  'RKLLM_UNSUPPORTED_OPTION',
  'RKLLM_UNSUPPORTED_BY_RUNTIME',
  'RKLLM_ADDON_NOT_FOUND',
  'RKLLM_RUNTIME_NOT_FOUND',
  'RKLLM_RUNTIME_INVALID',
  'RKLLM_RUNTIME_UNSUPPORTED',
]);

function withWarnings(error: RkllmError, warnings: readonly Check[]): RkllmError {
  const { code, message, hint, details, cause } = error;
  const stoodOut = warnings.map(({ title, found }) => `${title}: ${found}`).join('; ');
  return new RkllmError(code, message, {
    hint: `${hint} Before the load this stood out: ${stoodOut}.`,
    details: { ...details, preflight: warnings },
    cause,
  });
}
