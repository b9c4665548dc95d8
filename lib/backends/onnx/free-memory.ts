import { thisMachine } from '../../board/machine.js';
import { readMemory } from '../../board/memory.js';
import { RkllmError } from '../../errors.js';

/** How much memory can be had, in bytes; undefined where nothing tells. */
export type FreeMemory = () => number | undefined;

/**
 * As Linux and the control group (of a container or a service) tell, swap included. Elsewhere what a system calls free leaves
 * out what it would give back at once, and nothing may be refused by that.
 */
export function freeMemory(): number | undefined {
  const memory = readMemory(thisMachine());
  return memory && Math.min(memory.available, memory.groupAllows ?? Infinity) + memory.freeSwap;
}

/**
 * Linux gives out more memory than there is, and ends a process that then uses it: what cannot fit is refused before.
 *
 * @throws RkllmError `RKLLM_OUT_OF_MEMORY`.
 */
export function requireForWeights(modelFile: string, bytes: number, free: FreeMemory): void {
  const freeBytes = free() ?? Infinity;
  if (bytes <= freeBytes) return;
  throw new RkllmError(
    'RKLLM_OUT_OF_MEMORY',
    `The weights of ${modelFile} take ${inMebibytes(bytes)}, and ${inMebibytes(freeBytes)} are free.`,
    {
      hint: 'Take a smaller model or an int4 export, free memory, or raise the limit of the container or service.',
      details: { path: modelFile, bytes, freeBytes },
    },
  );
}

export function inMebibytes(bytes: number): string {
  return `${String(Math.ceil(bytes / 2 ** 20))} MiB`;
}
