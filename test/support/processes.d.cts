export interface ProcessEntry {
  readonly pid: number;
  readonly name: string;
  /** A letter; `Z` is a zombie. */
  readonly state: string;
  readonly parent: number;
}

/** Zombies too. */
export function childrenOf(parent: number): ProcessEntry[];
export function isRunning(pid: number): boolean;
