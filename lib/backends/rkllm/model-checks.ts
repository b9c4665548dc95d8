import { existsSync } from 'node:fs';
import path from 'node:path';
import { targetOf, type ModelTarget } from '../../board/soc.js';
import { conclude, inBytes, type Check, type Subject } from '../../checks/check.js';
import type { RkllmError } from '../../errors.js';
import { compareReleases } from '../../releases.js';
import type { ModelFile } from './model-file.js';
import type { ModelName } from './model-name.js';

const fileCheck: Subject = {
  id: 'model.file',
  title: 'Model file',
  why: 'Of a file that is not a whole model the runtime says "invalid magic" at best.',
};

/** The only check of a model that fails: the others go by names. */
export function modelFileFailure({ message, hint }: RkllmError): Check {
  return conclude(fileCheck, 'fail', message, hint);
}

/** @param expectedBytes - its size, where it is known from where the file comes from. */
export function checkModelFile(file: string, { bytes }: ModelFile, expectedBytes: number | undefined): Check {
  const unfinished = ['.aria2', '.part', '.incomplete', '.crdownload'].find((suffix) => existsSync(file + suffix));
  const found = `${path.basename(file)}, ${inBytes(bytes)}${expectedBytes === bytes ? ', complete' : ''}`;
  if (unfinished !== undefined) {
    const fix = 'Let the download come to its end; if it has, remove that file.';
    return conclude(fileCheck, 'warn', `${found}; beside it is a file ${unfinished} of a download that goes on`, fix);
  }
  return conclude(fileCheck, 'ok', found);
}

const chipCheck: Subject = {
  id: 'model.chip',
  title: 'Model and chip',
  why: 'A model runs on the chip that it was converted for and on no other.',
};

/** @param target - of the board. */
export function checkModelChip({ chip }: ModelName, target: ModelTarget | undefined): Check {
  if (chip === undefined) return conclude(chipCheck, 'skip', "the file's name does not say which chip it is for");
  if (target === undefined) return conclude(chipCheck, 'skip', `for ${chip}, by its name`);
  if (targetOf(chip) === target) return conclude(chipCheck, 'ok', `for ${chip}, by its name`);
  return conclude(
    chipCheck,
    'warn',
    `for ${chip}, by its name, and this is an ${target}`,
    `Take the file for ${target}, or convert the model with target_platform='${target.toLowerCase()}'.`,
  );
}

const quantizationCheck: Subject = {
  id: 'model.quantization',
  title: 'Quantization',
  why: 'Each chip computes with some kinds of quantized weights only.',
};

/** As the vendor's documentation lists them; without quantization any will do. */
const quantizations: Readonly<Record<ModelTarget, readonly string[]>> = {
  RK3588: ['w8a8', 'w8a8_g128', 'w8a8_g256', 'w8a8_g512'],
  RK3576: ['w4a16', 'w4a16_g32', 'w4a16_g64', 'w4a16_g128', 'w8a8'],
  RV1126B: ['w4a16', 'w4a16_g32', 'w4a16_g64', 'w4a16_g128', 'w8a8'],
  RK3562: ['w8a8', 'w4a16_g32', 'w4a16_g64', 'w4a16_g128', 'w4a8_g32'],
};

/** @param board - what the board is; undefined: what the name says it is for. */
export function checkQuantization({ quantization, chip }: ModelName, board: ModelTarget | undefined): Check {
  const target = board ?? (chip === undefined ? undefined : targetOf(chip));
  if (quantization === undefined) return conclude(quantizationCheck, 'skip', "the file's name does not say");
  if (target === undefined) return conclude(quantizationCheck, 'skip', `${quantization}, by its name`);
  const known = quantizations[target];
  if (quantization === 'fp16' || known.includes(quantization)) {
    return conclude(quantizationCheck, 'ok', `${quantization}, by its name`);
  }
  const found = `${quantization}, by its name, and an ${target} has ${known.join(', ')}`;
  return conclude(quantizationCheck, 'warn', found, `Take one of these for ${target}, such as ${known[0] ?? ''}.`);
}

const releaseCheck: Subject = {
  id: 'model.release',
  title: 'Model and runtime',
  why: 'A runtime loads models of its own release of the toolkit and of older ones from 1.1.0 on, not of newer ones.',
};

/** The first whose models later runtimes load. */
const oldestToolkit = '1.1.0';

/** What is known of the release that a model was converted with. */
export interface ModelRelease {
  readonly release: string;
  /** It stands in the file, and not only in its name. */
  readonly inFile: boolean;
}

export function checkModelRelease(model: ModelRelease | undefined, runtime: string | undefined): Check {
  if (model === undefined) return conclude(releaseCheck, 'skip', 'neither the file nor its name says its release');
  const { release, inFile } = model;
  const from = `a model of ${release}${inFile ? '' : ', by its name'}`;
  if (compareReleases(release, oldestToolkit) < 0) {
    const fix = 'Convert the model again with a newer rkllm-toolkit (its update_rkllm() does it for a file of 1.0.x).';
    return conclude(releaseCheck, 'warn', `${from}: too old for every runtime from ${oldestToolkit} on`, fix);
  }
  if (runtime === undefined) return conclude(releaseCheck, 'skip', `${from}; the runtime's release is not known`);
  if (compareReleases(runtime, release) >= 0) return conclude(releaseCheck, 'ok', `${from}, runtime ${runtime}`);
  const fix = `Use librkllmrt.so ${release} or newer, of https://github.com/airockchip/rknn-llm, and name it with RKLLM_RUNTIME_PATH.`;
  return conclude(releaseCheck, 'warn', `${from}, and the runtime is older: ${runtime}`, fix);
}

const contextCheck: Subject = {
  id: 'model.context',
  title: 'Context length',
  why: 'A load with a longer context than the model was converted for is refused.',
};

/** What a converter can be told at most. */
const longestContext = 16_384;

export function checkContext({ contextLength: named = longestContext }: ModelName, asked: number): Check {
  const limit = Math.min(named, longestContext);
  const reason = named < longestContext ? `the name says ${named}` : `models have ${longestContext} at most`;
  const found = `${asked} tokens; ${reason}`;
  if (asked <= limit) return conclude(contextCheck, 'ok', found);
  return conclude(contextCheck, 'warn', found, `Load with maxContextLength: ${limit}.`);
}
