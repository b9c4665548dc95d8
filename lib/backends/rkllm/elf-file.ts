import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** `e_machine` of the architectures that Node.js names so. */
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183, arm: 40, ia32: 3, riscv64: 243 };
const headerBytes = 20;
const sharedObject = 3;

/** Why a file cannot be a library of this process, or undefined when nothing speaks against it. */
export interface FileFault {
  /** Whether there is no such file at all. */
  readonly missing: boolean;
  readonly reason: string;
  readonly hint: string | undefined;
}

/**
 * Looks at a file before the dynamic linker does: a wrong architecture or a download that went wrong is named as such,
 * and constructors of a foreign library are never run.
 */
export function findFault(file: string): FileFault | undefined {
  let header: Buffer;
  try {
    header = readHeader(file);
  } catch (error) {
    return faultOfSystem(error as NodeJS.ErrnoException);
  }
  return faultOfHeader(header);
}

/** The first bytes of a regular file. */
function readHeader(file: string): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    if (!fstatSync(descriptor).isFile()) throw Object.assign(new Error('not a regular file'), { code: 'NOT_A_FILE' });
    const header = Buffer.alloc(headerBytes);
    return header.subarray(0, readSync(descriptor, header, 0, headerBytes, 0));
  } finally {
    closeSync(descriptor);
  }
}

function faultOfSystem({ code, message }: NodeJS.ErrnoException): FileFault {
  if (code === 'ENOENT' || code === 'ENOTDIR') return { missing: true, reason: 'no such file', hint: undefined };
  if (code === 'EACCES' || code === 'EPERM') {
    return { missing: false, reason: 'permission denied', hint: 'Make it readable for this user: chmod a+r.' };
  }
  return { missing: false, reason: code === 'NOT_A_FILE' ? message : `cannot be read (${message})`, hint: undefined };
}

function faultOfHeader(header: Buffer): FileFault | undefined {
  if (header.length === 0) return invalid('empty file', undefined);
  if (header.toString('latin1', 0, 4) !== '\x7fELF') {
    const text = /^[\t\n\r\x20-\x7e]+$/u.test(header.toString('latin1'));
    return invalid(
      text ? 'a text file, not a shared library' : 'not an ELF shared library',
      text ? 'A download may have fetched a web page or a Git LFS pointer: fetch the raw file.' : undefined,
    );
  }
  if (header.length < headerBytes) return invalid('a truncated ELF file', undefined);
  const machine = header.readUInt16LE(18);
  if (machine !== machines[process.arch]) {
    const found = Object.keys(machines).find((name) => machines[name] === machine) ?? `machine ${machine}`;
    return invalid(
      `built for ${found}, while this Node.js is ${process.arch}`,
      'Take the library of the matching directory (Linux/librkllm_api/aarch64 for RK3588 boards), or a matching Node.js.',
    );
  }
  if (header.readUInt16LE(16) !== sharedObject) return invalid('an ELF file, but not a shared library', undefined);
  return undefined;
}

function invalid(reason: string, hint: string | undefined): FileFault {
  return { missing: false, reason, hint };
}
