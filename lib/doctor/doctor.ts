import { absolutePath } from '../absolute-path.js';
import { readLayout } from '../backends/onnx/layout.js';
import { findOrtPackage, type OrtPackage } from '../backends/onnx/ort-package.js';
import { nativeAddonStatus, type NativeAddonStatus } from '../backends/rkllm/addon.js';
import { checkChecksum } from '../backends/rkllm/model-checksum.js';
import { checkModel, defaultContextLength, memoryNeedOfFile, type ModelPlan } from '../backends/rkllm/preflight.js';
import { checkRuntime } from '../backends/rkllm/runtime-checks.js';
import { readBoard, type Board } from '../board/index.js';
import { thisMachine, type Machine } from '../board/machine.js';
import { conclude, inBytes, type Check, type Subject } from '../checks/check.js';
import { checkChip, checkDevices, checkDriver } from '../checks/npu.js';
import { checkClocks, checkCpus, checkMemory, checkOpenFiles } from '../checks/resources.js';
import { isRkllmError } from '../errors.js';
import { checkOptions } from '../options/check.js';
import { doctorTable, type DoctorOptions } from '../options/doctor.js';
import { packageVersion } from '../package-version.js';
import { checkAddon, checkCpuBackend, checkPlatform } from './software-checks.js';

/** What {@link doctor} has found. Plain values: it survives `JSON.stringify`. */
export interface DoctorReport {
  /** Of this package. */
  readonly version: string;
  /** Nothing has failed. Warnings do not count. */
  readonly ok: boolean;
  /** There is an NPU that the vendor's runtime drives. */
  readonly npu: boolean;
  /** In one sentence. */
  readonly summary: string;
  /** In the order in which one depends on the other. */
  readonly checks: readonly Check[];
}

/** What the checks look at; tests have their own. */
export interface Surroundings {
  readonly machine: Machine;
  readonly env: NodeJS.ProcessEnv;
  readonly addon: () => NativeAddonStatus;
  readonly ort: () => OrtPackage | undefined;
}

export function ourSurroundings(): Surroundings {
  return { machine: thisMachine(), env: process.env, addon: nativeAddonStatus, ort: findOrtPackage };
}

/** What `doctor()` of `index.ts` does. Nothing of the vendor is loaded: its library is read as a file. */
export async function doctor(options?: DoctorOptions, surroundings = ourSurroundings()): Promise<DoctorReport> {
  const {
    model: given,
    modelBytes,
    verify = false,
    maxContextLength,
    runtimePath,
    requireNpu,
  } = checkOptions('doctor()', doctorTable, options);
  const { machine, env, addon, ort } = surroundings;
  const board = readBoard(machine);
  const runtime = await checkRuntime(machine, board, runtimePath, env);
  const contextLength = maxContextLength ?? defaultContextLength;
  const model = given ?? (env['RKLLM_MODEL'] === '' ? undefined : env['RKLLM_MODEL']);
  const file = model === undefined ? undefined : absolutePath(model);
  const npuFile = file !== undefined && /\.rkllm$/iu.test(file) ? file : undefined;
  const plan = { contextLength, runtime: runtime.version, expectedBytes: modelBytes };
  const ofModel =
    npuFile === undefined ? await checkOnnxModel(file) : await checkNpuModel({ ...plan, file: npuFile }, board, verify);
  const need =
    npuFile !== undefined && ofModel.every(isNoFailure) ? memoryNeedOfFile(npuFile, contextLength) : undefined;
  const checks = [
    checkPlatform(machine, board),
    checkAddon(addon(), board),
    checkChip(board, requireNpu ?? false),
    checkDriver(board),
    checkDevices(board),
    runtime.check,
    ...ofModel,
    checkMemory(board, need),
    checkOpenFiles(board),
    checkCpus(board),
    checkClocks(board),
    checkCpuBackend(ort(), board),
  ];
  const ok = checks.every(isNoFailure);
  return { version: packageVersion(), ok, npu: board.hasNpu, summary: summarize(board, checks), checks };
}

async function checkNpuModel(plan: ModelPlan, board: Board, verify: boolean): Promise<readonly Check[]> {
  const checks = checkModel(plan, board);
  return checks.every(isNoFailure) ? [...checks, await checkChecksum(plan.file, verify)] : checks;
}

function isNoFailure({ status }: Check): boolean {
  return status !== 'fail';
}

const onnxModel: Subject = {
  id: 'model.file',
  title: 'Model',
  why: 'What is not there, or lacks a part, cannot be loaded.',
};

async function checkOnnxModel(location: string | undefined): Promise<readonly Check[]> {
  if (location === undefined) return [];
  try {
    const { modelBytes, contextLength } = await readLayout(location);
    return [conclude(onnxModel, 'ok', `an ONNX model of ${inBytes(modelBytes)}, ${contextLength} tokens of context`)];
  } catch (error) {
    if (!isRkllmError(error)) throw error;
    return [conclude(onnxModel, 'fail', error.message, error.hint)];
  }
}

function summarize({ hasNpu, soc }: Board, checks: readonly Check[]): string {
  const count = (status: Check['status']): number => checks.filter((check) => check.status === status).length;
  const failed = count('fail');
  const warned = count('warn');
  const also = warned === 0 ? '' : ` ${warned === 1 ? 'One thing stands' : `${warned} things stand`} out.`;
  if (failed > 0) return `${failed === 1 ? 'One thing keeps' : `${failed} things keep`} it from working.${also}`;
  if (!hasNpu) return `No NPU here, and none is needed: models run on the CPU.${also}`;
  return `The NPU${soc?.name === undefined ? '' : ` of this ${soc.name}`} is ready as far as can be seen.${also}`;
}
