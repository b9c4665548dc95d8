import { longRopeScale, type LongRope } from '../phi3-rope.js';
import type { RandomModelOptions } from '../random-model.js';

/** A random model whose answer transformers has computed, too. */
export interface GoldenCase {
  readonly name: string;
  readonly model: RandomModelOptions;
  readonly prompt: readonly number[];
}

/** Greedy tokens of each answer. */
export const goldenTokens = 200;

const contextLength = 400;
const threshold = 128;
const prompt = (length: number): number[] => Array.from({ length }, (_, i) => 260 + ((i * 37) % 100));
const longRope: LongRope = {
  threshold,
  shortFactor: Array.from({ length: 8 }, (_, i) => 1 + i / 64),
  longFactor: Array.from({ length: 8 }, (_, i) => 1.5 + i / 2),
  scale: longRopeScale(contextLength, threshold),
};

export const goldenCases: readonly GoldenCase[] = [
  { name: 'plain-rope', model: { contextLength, seed: 5 }, prompt: prompt(30) },
  // Its answer begins below the threshold and crosses it.
  { name: 'long-rope', model: { contextLength, seed: 6, longRope }, prompt: prompt(100) },
];
