import { readText, type Machine } from './machine.js';

/** How many files the process may have open. */
export interface OpenFileLimit {
  /** What holds now. Node.js raises it to `hard` when it starts. */
  readonly soft: number;
  /** What the process may raise it to. */
  readonly hard: number;
}

export function readOpenFileLimit(machine: Machine): OpenFileLimit | undefined {
  const limits = readText(machine, '/proc/self/limits') ?? '';
  const match = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/mu.exec(limits);
  if (match === null) return undefined;
  const [, soft = '', hard = ''] = match;
  return { soft: countOf(soft), hard: countOf(hard) };
}

function countOf(text: string): number {
  return text === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(text);
}

/** The CPUs that the process may run on, by number; undefined where the kernel does not tell. */
export function readAllowedCpus(machine: Machine): readonly number[] | undefined {
  return cpusOf(/^Cpus_allowed_list:\s*(.*)$/mu.exec(readText(machine, '/proc/self/status') ?? '')?.[1]);
}

/** The CPUs of the machine that are switched on. */
export function readOnlineCpus(machine: Machine): readonly number[] | undefined {
  return cpusOf(readText(machine, '/sys/devices/system/cpu/online'));
}

/** More than a machine has; a list that says so is no list. */
const mostCpus = 8192;

/** The kernel writes lists as `0-3,6`. */
function cpusOf(text: string | undefined): readonly number[] | undefined {
  if (text === undefined || !/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/u.test(text)) return undefined;
  return text.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: Math.min(Math.max(last - first + 1, 0), mostCpus) }, (_, index) => first + index);
  });
}
