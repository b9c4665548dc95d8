import { readdirSync, readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Whose access to a file is asked for. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** The computer that is looked at. All that is known of it comes from here and from files below `root`. */
export interface Machine {
  /** Where its file system starts. Every path that is read is below. */
  readonly root: string;
  readonly platform: NodeJS.Platform;
  /** As `process.arch` has it. */
  readonly arch: string;
  /** Of Node.js, such as `'20.17.0'`. */
  readonly nodeVersion: string;
  /** Such as `'2.36'`; undefined where the C library is another one. */
  readonly glibcVersion: string | undefined;
  /**
   * Whose access is computed, from modes and owners; undefined: that of this process, of which the kernel knows more
   * (access lists, user namespaces).
   */
  readonly identity: Identity | undefined;
}

/** The computer that this process runs on. */
export function thisMachine(): Machine {
  return {
    root: path.parse(os.homedir()).root,
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.versions.node,
    get glibcVersion() {
      return glibcVersion();
    },
    identity: undefined,
  };
}

/** Made on request only: a report takes its time. */
export function glibcVersion(): string | undefined {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime;
}

/** Where a path of the machine is found. */
export function locate({ root }: Machine, file: string): string {
  return path.join(root, file);
}

/** What these files of the kernel hold is small; more of it is not looked at. */
const longestText = 65_536;

/** Text of a small file without the end of the line; undefined: it is not there, or cannot be read. */
export function readText(machine: Machine, file: string): string | undefined {
  try {
    return readFileSync(locate(machine, file), 'utf8').slice(0, longestText).trimEnd();
  } catch {
    return undefined;
  }
}

/** A number from a file that has nothing else. */
export function readNumber(machine: Machine, file: string): number | undefined {
  const text = readText(machine, file);
  return text !== undefined && /^\d+$/u.test(text) ? Number(text) : undefined;
}

/** Names in a directory, in order; none where there is no such directory. */
export function list(machine: Machine, directory: string): string[] {
  try {
    return readdirSync(locate(machine, directory)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch {
    return [];
  }
}

/** Whether there is something at a path. */
export function exists(machine: Machine, file: string): boolean {
  try {
    return statSync(locate(machine, file), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // below a directory that may not be entered, or below a file
  }
}
