import { readNumber, readText, type Machine } from './machine.js';

/** Memory in bytes. */
export interface Memory {
  readonly total: number;
  /** What can be had without swapping. */
  readonly available: number;
  /** What swapping can free besides. */
  readonly freeSwap: number;
  /** What the process's control group (of a container or a service) still allows; undefined: it has no limit. */
  readonly groupAllows: number | undefined;
}

/** Undefined where the kernel does not tell. */
export function readMemory(machine: Machine): Memory | undefined {
  const text = readText(machine, '/proc/meminfo') ?? '';
  const total = kibibytes(text, 'MemTotal');
  const available = kibibytes(text, 'MemAvailable');
  if (total === undefined || available === undefined) return undefined;
  return { total, available, freeSwap: kibibytes(text, 'SwapFree') ?? 0, groupAllows: groupAllows(machine) };
}

function kibibytes(text: string, name: string): number | undefined {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'mu').exec(text)?.[1];
  return match === undefined ? undefined : Number(match) * 1024;
}

/** A limit that is near the whole address space stands for none. */
const noLimit = 2 ** 53;

/** The least of what each group on the way up allows. */
function groupAllows(machine: Machine): number | undefined {
  const groups = readText(machine, '/proc/self/cgroup') ?? '';
  const unified = /^0::(.*)$/mu.exec(groups)?.[1];
  const old = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/mu.exec(groups)?.[1];
  const left = [
    ...levels(unified).map((group) => leftIn(machine, `/sys/fs/cgroup${group}`, 'memory.max', 'memory.current')),
    ...levels(old).map((group) =>
      leftIn(machine, `/sys/fs/cgroup/memory${group}`, 'memory.limit_in_bytes', 'memory.usage_in_bytes'),
    ),
  ].filter((bytes) => bytes !== undefined);
  return left.length === 0 ? undefined : Math.min(...left);
}

function leftIn(machine: Machine, group: string, limitFile: string, usageFile: string): number | undefined {
  const limit = readNumber(machine, `${group}/${limitFile}`);
  const usage = readNumber(machine, `${group}/${usageFile}`);
  if (limit === undefined || usage === undefined || limit >= noLimit) return undefined;
  // The file cache is given back before anything fails; the weights of a model that is mapped into memory are in it.
  const stat = readText(machine, `${group}/memory.stat`) ?? '';
  const cache = ['inactive_file', 'active_file'].map((name) =>
    Number(new RegExp(`^(?:total_)?${name} (\\d+)$`, 'mu').exec(stat)?.[1] ?? 0),
  );
  return Math.max(0, limit - Math.max(0, usage - cache.reduce((sum, bytes) => sum + bytes, 0)));
}

/** `/a/b` gives `/a/b`, `/a` and the root. */
function levels(group: string | undefined): string[] {
  if (group === undefined) return [];
  const parts = group.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, index) =>
    parts
      .slice(0, parts.length - index)
      .map((part) => `/${part}`)
      .join(''),
  );
}
