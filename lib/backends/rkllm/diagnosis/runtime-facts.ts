import type { RuntimeLogLine } from '../runtime-log/line.js';
import { oldestDriver } from '../../../board/driver.js';
import { compareReleases, isRelease } from '../../../releases.js';

/** What the runtime prints of itself, the board and the model while it loads one. 1.1.x says less than later releases. */
export interface RuntimeFacts {
  readonly runtimeVersion?: string;
  /** Of the NPU's driver, such as `0.9.8`. */
  readonly driverVersion?: string;
  /** The driver that the runtime asks for, when it finds that there is an older one. */
  readonly driverWanted?: string;
  /** The board's SoC as the runtime sees it, such as `RK3588`. */
  readonly platform?: string;
  /** Of the toolkit that converted the model; `unknown` for one of 1.1.x. */
  readonly toolkitVersion?: string;
  /** The SoC that the model was converted for. */
  readonly targetPlatform?: string;
  /** The largest context that the model was converted for, in tokens. */
  readonly contextLimit?: number;
  /** NPU cores that the model was converted for. */
  readonly npuCores?: number;
  /** Such as `W8A8`. From 1.2.2 on. */
  readonly modelType?: string;
  /** CPUs that the runtime computes on. */
  readonly enabledCpus?: number;
}

type Key = keyof RuntimeFacts;

const sources: readonly (readonly [Key, RegExp])[] = [
  ['runtimeVersion', /rkllm-runtime version: ([^\s,]+)/u],
  ['driverVersion', /rknpu driver version: ([^\s,]+)/u],
  ['driverWanted', /driver version is too low, please upgrade to (\d+(?:\.\d+)*)/u],
  ['platform', /(?<!target_)platform: (\w+)/u],
  ['platform', /Your platform is (\w+)/u],
  ['toolkitVersion', /rkllm-toolkit version: ([^\s,]+)/u],
  ['targetPlatform', /target_platform: (\w+)/u],
  ['contextLimit', /max_context_limit: (\d+)/u],
  ['npuCores', /npu_core_num: (\d+)/u],
  ['modelType', /model_dtype: (\w+)/u],
  ['enabledCpus', /Enabled cpus num: (\d+)/u],
];

const counts: readonly Key[] = ['contextLimit', 'npuCores', 'enabledCpus'];

/** Collects the facts; what is said last counts. */
export function factsIn(lines: readonly RuntimeLogLine[]): RuntimeFacts {
  const found: Partial<Record<Key, string | number>> = {};
  for (const { text } of lines) {
    for (const [key, pattern] of sources) {
      const value = pattern.exec(text)?.[1];
      if (value !== undefined) found[key] = counts.includes(key) ? Number(value) : value;
    }
  }
  return found as RuntimeFacts;
}

/** Undefined when nothing was said of the driver. */
export function isDriverTooOld({ driverVersion, driverWanted }: RuntimeFacts): boolean | undefined {
  if (driverWanted !== undefined) return true;
  return isKnown(driverVersion) ? compareReleases(driverVersion, oldestDriver) < 0 : undefined;
}

/** Undefined when one of the two releases is not known. A newer model is not sure to be refused: most of them are. */
export function isModelNewer({ toolkitVersion, runtimeVersion }: RuntimeFacts): boolean | undefined {
  if (!isKnown(toolkitVersion) || !isKnown(runtimeVersion)) return undefined;
  return compareReleases(toolkitVersion, runtimeVersion) > 0;
}

function isKnown(version: string | undefined): version is string {
  return version !== undefined && isRelease(version);
}

/** The lines since the runtime last began to load a model: those of an earlier attempt explain nothing of this one. */
export function lastAttempt(lines: readonly RuntimeLogLine[]): readonly RuntimeLogLine[] {
  const begins = ({ text }: RuntimeLogLine): boolean => text.includes('rkllm-runtime version: ');
  const start = lines.map(begins).lastIndexOf(true);
  if (start <= 0) return lines;
  // It says what it thinks of the driver before it says who it is.
  const warned = lines[start - 1]?.text.includes('driver version is too low') === true;
  return lines.slice(warned ? start - 1 : start);
}
