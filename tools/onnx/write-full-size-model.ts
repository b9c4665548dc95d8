import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { buildPhi3 } from './phi3-graph.js';
import { defaultNames } from './phi3-names.js';
import type { Phi3Config, Phi3Weights } from './phi3-weights.js';
import type { BlockQuantized } from './quantize.js';
import { mulberry32 } from './random.js';
import { writeJson, writeTokenizer } from './random-model.js';
import { tinyTokenizer } from './tiny-tokenizer.js';
import { genaiConfig } from './write-genai-model.js';

/** The shape of Phi-3-mini-4k-instruct. */
const phi3Mini: Phi3Config = {
  vocabularySize: 32064,
  hiddenSize: 3072,
  layers: 32,
  heads: 32,
  kvHeads: 32,
  headSize: 96,
  feedForwardSize: 8192,
  contextLength: 4096,
  ropeTheta: 10000,
  normEpsilon: 1e-5,
};

const modelFile = 'phi3-mini-shaped-cpu-int4.onnx';
/** Matrices are made of pieces of it: what is in them does not matter, only that it is nothing regular. */
const poolBytes = 1 << 24;

/**
 * Writes a model of the shape and size of Phi-3-mini in int4, 2.4 GB with external data, whose answers are nonsense: its
 * weights are random, and its tokenizer is that of the small models. As onnxruntime-genai lays it out.
 *
 * @param onBytes - told how many bytes of the external data have been written.
 */
export function writeFullSizeModel(directory: string, onBytes: (bytes: number) => void = () => undefined): void {
  rmSync(directory, { recursive: true, force: true });
  const unfinished = `${directory}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const dataFile = `${modelFile}.data`;
  const file = openSync(path.join(unfinished, dataFile), 'w');
  let written = 0;
  try {
    const { model } = buildPhi3(phi3Mini, emptyWeights(phi3Mini), {
      format: 'int4',
      externalFiles: [dataFile],
      externalSink: (_, bytes) => {
        for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
        written += bytes.length;
        onBytes(written);
      },
      quantize: randomBlocks(),
    });
    writeFileSync(path.join(unfinished, modelFile), model);
  } finally {
    closeSync(file);
  }
  const tokenizer = tinyTokenizer(phi3Mini.contextLength);
  writeTokenizer(unfinished, tokenizer);
  writeJson(unfinished, 'genai_config.json', genaiConfig(phi3Mini, defaultNames, modelFile, tokenizer.eosTokenIds));
  renameSync(unfinished, directory);
}

/** Nothing where only the shape of a matrix is of use: in floats, they would take 15 GB. */
function emptyWeights(config: Phi3Config): Phi3Weights {
  const none = new Float32Array(0);
  const random = mulberry32(1);
  const norm = (): Float32Array => new Float32Array(config.hiddenSize).fill(1);
  const layer = { qkv: none, attentionOutput: none, gate: none, up: none, down: none };
  return {
    embedding: Float32Array.from({ length: config.vocabularySize * config.hiddenSize }, () => random() - 0.5),
    layers: Array.from({ length: config.layers }, () => ({ ...layer, inputNorm: norm(), postAttentionNorm: norm() })),
    finalNorm: norm(),
    head: none,
  };
}

/** Makes matrices whose values are random numbers of 4 bits, of a variance that keeps the sums of a row near 1. */
function randomBlocks(): (
  matrix: Float32Array,
  rows: number,
  columns: number,
  bits: 4 | 8,
  blockSize: number,
) => BlockQuantized {
  const random = mulberry32(2);
  const pool = Buffer.from(Uint32Array.from({ length: poolBytes / 4 }, () => random() * 2 ** 32).buffer);
  const deviation = 4.6; // of the integers from -8 to 7
  return (_, rows, columns, bits, blockSize) => {
    const blocksPerRow = columns / blockSize;
    const bytesPerBlock = (blockSize * bits) / 8;
    const values = new Uint8Array(rows * blocksPerRow * bytesPerBlock);
    for (let at = 0; at < values.length;) {
      const start = Math.floor(random() * (poolBytes / 2));
      const piece = pool.subarray(start, start + Math.min(poolBytes / 2, values.length - at));
      values.set(piece, at);
      at += piece.length;
    }
    const scales = new Float32Array(rows * blocksPerRow).fill(1 / (deviation * Math.sqrt(columns)));
    return { values, scales, blocksPerRow, bytesPerBlock };
  };
}
