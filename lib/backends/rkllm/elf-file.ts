import { closeSync, fstatSync, openSync } from 'node:fs';
import { readAt } from './file-bytes.js';

/** `e_machine` of the architectures that Node.js names so. */
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183, arm: 40, ia32: 3, riscv64: 243 };

/** Of the 64-bit format; a file of a 32-bit architecture is refused before more of it is looked at. */
const headerBytes = 64;
const programHeaderBytes = 56;
const sharedObject = 3;
const loadedSegment = 1;

/** Why a file cannot be a library of this process. */
export interface FileFault {
  /** Whether there is no such file at all. */
  readonly missing: boolean;
  readonly reason: string;
  readonly hint: string | undefined;
}

/**
 * Looks at a file before the dynamic linker does: a wrong architecture or a download that went wrong is named as such,
 * constructors of a foreign library are never run, and a file that was cut off does not end the process (the linker
 * maps what is not there, and that is a bus error).
 *
 * @returns undefined when nothing speaks against it.
 */
export function findFault(file: string): FileFault | undefined {
  try {
    const descriptor = openSync(file, 'r');
    try {
      return faultOfContent(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return faultOfSystem(error as NodeJS.ErrnoException);
  }
}

function faultOfSystem({ code, message }: NodeJS.ErrnoException): FileFault {
  if (code === 'ENOENT' || code === 'ENOTDIR') return { missing: true, reason: 'no such file', hint: undefined };
  if (code === 'EACCES' || code === 'EPERM') return invalid('permission denied', 'Make it readable for this user.');
  return invalid(`cannot be read (${message})`);
}

function faultOfContent(descriptor: number): FileFault | undefined {
  const stats = fstatSync(descriptor);
  if (!stats.isFile()) return invalid('not a regular file');
  const header = readAt(descriptor, 0, headerBytes);
  if (header.length === 0) return invalid('empty file', fetchAgain);
  if (header.toString('latin1', 0, 4) !== '\x7fELF') return faultOfOtherFormat(header);
  if (header.length < headerBytes) return invalid('cut off: the file ends within its header', fetchAgain);
  const machine = header.readUInt16LE(18);
  if (machine !== machines[process.arch]) return faultOfMachine(machine);
  if (header.readUInt16LE(16) !== sharedObject) return invalid('an ELF file, but not a shared library');
  const needed = bytesNeeded(descriptor, header);
  if (needed <= stats.size) return undefined;
  return invalid(`cut off: it has ${stats.size} bytes and should have at least ${needed}`, fetchAgain);
}

const fetchAgain = 'Download it again, as the raw file.';

function faultOfOtherFormat(start: Buffer): FileFault {
  const isText = /^[\t\n\r\x20-\x7e]+$/u.test(start.toString('latin1'));
  if (!isText) return invalid('not an ELF shared library');
  return invalid('a text file, not a shared library', `It may be a web page or a Git LFS pointer. ${fetchAgain}`);
}

function faultOfMachine(machine: number): FileFault {
  const found = Object.keys(machines).find((name) => machines[name] === machine) ?? `machine ${machine}`;
  return invalid(
    `built for ${found}, while this Node.js is ${process.arch}`,
    'Take the library of the matching directory (Linux/librkllm_api/aarch64 for RK3588 boards), or a matching Node.js.',
  );
}

/** Where the last segment that the linker maps ends in the file. */
function bytesNeeded(descriptor: number, header: Buffer): number {
  const offset = Number(header.readBigUInt64LE(32));
  const count = header.readUInt16LE(56);
  const table = readAt(descriptor, offset, count * programHeaderBytes);
  let end = offset + count * programHeaderBytes;
  for (let at = 0; at + programHeaderBytes <= table.length; at += programHeaderBytes) {
    if (table.readUInt32LE(at) !== loadedSegment) continue;
    end = Math.max(end, Number(table.readBigUInt64LE(at + 8) + table.readBigUInt64LE(at + 32)));
  }
  return end;
}

function invalid(reason: string, hint?: string): FileFault {
  return { missing: false, reason, hint };
}
