import { statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inspectModelFile } from '../../backends/rkllm/model-file.js';
import { parseModelName } from '../../backends/rkllm/model-name.js';
import { readBoard } from '../../board/index.js';
import { thisMachine } from '../../board/machine.js';
import { isRkllmError } from '../../errors.js';
import type { ModelInfo } from '../../model.js';
import type { LoadModelOptions } from '../../options/load.js';
import { packageVersion } from '../../package-version.js';
import { withDeadline, type Timed } from './deadline.js';
import type { LoadedFacts, Measured, SelfTestReport, SelfTestStep } from './report.js';
import { Session, StepFailed, StepSkipped } from './session.js';
import { steps, type Step } from './steps.js';

export interface SelfTestOptions {
  /** As `loadModel()` takes it. */
  readonly model: string | undefined;
  readonly runtimePath: string | undefined;
  readonly maxContextLength: number | undefined;
  /** How long a step may take, besides what a large file takes to load; default 3 minutes. It may then take as long to stop, at most {@link longestGraceMs}. */
  readonly deadlineMs?: number | undefined;
  /** Called before each step and at the end. What it throws ends the test. */
  readonly onProgress?: (report: SelfTestReport) => void;
}

/** A slow memory card. */
const bytesPerMs = 10_000;

/** What the library gives the runtime to stop. */
const abortTimeoutMs = 30_000;

/** A little more. */
const longestGraceMs = 45_000;

/**
 * Loads a model and runs the script with it. A step that hangs is left alone, and so is everything after it. If the
 * process ends meanwhile, the report of the last call of `onProgress` says in which step.
 */
export async function selfTest(options: SelfTestOptions): Promise<SelfTestReport> {
  const { model, runtimePath, maxContextLength, deadlineMs = 180_000, onProgress } = options;
  const npuFile = model !== undefined && /\.rkllm$/iu.test(model) ? model : undefined;
  const load: LoadModelOptions = {
    runtimePath,
    maxContextLength,
    ...(npuFile === undefined ? {} : { abortTimeoutMs }),
  };
  const session = new Session(model, load);
  const facts = factsOf(model, npuFile);
  const done: SelfTestStep[] = [];
  let loaded: LoadedFacts | undefined;
  let leftRunning = false;
  const report = (running?: SelfTestStep): SelfTestReport => ({
    ...facts,
    ok:
      running === undefined &&
      !leftRunning &&
      done.every(({ outcome }) => outcome === 'passed' || outcome === 'skipped'),
    leftRunning,
    loaded,
    steps: running === undefined ? [...done] : [...done, running],
  });
  const limits = {
    deadlineMs: deadlineMs + (facts.model.bytes ?? 0) / bytesPerMs,
    graceMs: Math.min(deadlineMs, longestGraceMs),
  };
  for (const step of steps) {
    onProgress?.(report(record(step, 'running', undefined, {})));
    const started = performance.now();
    const timed: Timed<Measured> = leftRunning
      ? { outcome: 'failed', error: new StepSkipped('a step before it did not end') }
      : await withDeadline(limits, (signal) => step.run(session, signal));
    done.push(conclude(step, timed, performance.now() - started));
    leftRunning ||= timed.outcome === 'timed-out' && !timed.stopped;
    if (session.info !== undefined) loaded ??= loadedFacts(session.info);
  }
  if (!leftRunning) {
    const freed = await withDeadline(limits, () => session.dispose());
    leftRunning = freed.outcome === 'timed-out' && !freed.stopped;
  }
  onProgress?.(report());
  return report();
}

function record(
  { id, title }: Step,
  outcome: SelfTestStep['outcome'],
  durationMs: number | undefined,
  measured: Measured,
) {
  return { id, title, outcome, durationMs: durationMs === undefined ? undefined : rounded(durationMs), measured };
}

function conclude(step: Step, timed: Timed<Measured>, durationMs: number): SelfTestStep {
  if (timed.outcome === 'done') {
    const measured = Object.entries(timed.value).map(([name, value]) => [
      name,
      typeof value === 'number' ? rounded(value) : value,
    ]);
    return record(step, 'passed', durationMs, Object.fromEntries(measured) as Measured);
  }
  if (timed.outcome === 'timed-out') {
    const reason = timed.stopped ? 'it took too long, and was stopped' : 'it took too long, and did not stop';
    return { ...record(step, 'timed-out', durationMs, {}), reason };
  }
  const { error } = timed;
  if (error instanceof StepSkipped) return { ...record(step, 'skipped', durationMs, {}), reason: error.message };
  const failed = record(step, 'failed', durationMs, {});
  if (error instanceof StepFailed) return { ...failed, reason: error.message };
  if (!isRkllmError(error)) return { ...failed, reason: String(error) };
  const { code, message, hint, details } = error;
  const lastLines = details['lastLines'] as readonly string[] | undefined;
  const said = lastLines === undefined ? {} : { lastLines };
  return { ...failed, reason: code, error: { code, message, hint, ...said } };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function factsOf(
  model: string | undefined,
  npuFile: string | undefined,
): Omit<SelfTestReport, 'ok' | 'leftRunning' | 'loaded' | 'steps'> {
  const machine = thisMachine();
  const { soc, driver, memory, clocks } = readBoard(machine);
  return {
    format: 1,
    version: packageVersion(),
    date: new Date().toISOString().slice(0, 10),
    machine: {
      platform: machine.platform,
      arch: machine.arch,
      node: machine.nodeVersion,
      glibc: machine.glibcVersion,
      kernel: os.release(),
      board: soc?.board,
      chip: soc?.name,
      driver: driver === undefined ? undefined : `${driver.flavour} ${driver.version ?? '(version unknown)'}`,
      memoryBytes: memory?.total,
      clocks,
    },
    model: {
      file: model === undefined ? undefined : path.basename(model),
      bytes: npuFile === undefined ? undefined : known(() => statSync(npuFile).size),
      named: npuFile === undefined ? undefined : parseModelName(npuFile),
      toolkit: npuFile === undefined ? undefined : known(() => inspectModelFile(npuFile).toolkitVersion),
    },
  };
}

/** Of a file that cannot be looked at, loading it tells why. */
function known<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function loadedFacts({ backend, embedded, contextLength, quantization, template, runtime }: ModelInfo): LoadedFacts {
  const { version, generation, evidence } = runtime ?? {};
  return {
    backend,
    embedded,
    contextLength,
    quantization,
    template: template?.name,
    runtime: generation === undefined ? undefined : { version, generation, evidence: evidence ?? [] },
  };
}
