// Whether the binaries that go into the package run on every system that it is made for. Exit code 1 when one does not.
//   node tools/prebuilt/check.mjs [DIRECTORY]      default: prebuilds, as `npm run prebuilds` leaves it
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readElf } from './elf.mjs';

const directory = process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'prebuilds');
const arches = ['arm64', 'x64'];
/**
 * That for arm64 grows in steps of 64 KB, and is padded in between: its segments begin on the largest pages that an arm64
 * kernel may have, since a kernel does not load a library that is aligned to smaller pages than its own.
 */
const largest = 300_000;
/** Node.js itself asks for GLIBC_2.28, so this is no smaller than what can run it. It asks for libgcc_s, too. */
const newest = { GLIBC: [2, 28], GCC: [8, 0] };
const libraries = /^(?:lib(?:c|m|dl|pthread|gcc_s)\.so\.\d|ld-linux-.*\.so\.\d)$/u;

/** What is wrong with a file for this processor. */
function problemsOf(file, arch) {
  const elf = readElf(file);
  const tooNew = elf.versions.filter((version) => !isOldEnough(version));
  const foreign = elf.libraries.filter((name) => !libraries.test(name));
  return [
    ...(elf.arch === arch ? [] : [`built for ${elf.arch}`]),
    ...(file.length < largest ? [] : [`${file.length} bytes, which should be less than ${largest}`]),
    ...(tooNew.length === 0 ? [] : [`needs ${tooNew.join(', ')}: old systems do not have it`]),
    ...(foreign.length === 0 ? [] : [`needs the libraries ${foreign.join(', ')}`]),
    ...(elf.searchPaths.length === 0 ? [] : [`looks for libraries in ${elf.searchPaths.join(', ')}`]),
    ...(elf.stripped ? [] : ['has symbols that nobody needs: strip it']),
  ];
}

/** Whether a version such as `GLIBC_2.17` is at most the newest that is allowed of its kind. */
function isOldEnough(version) {
  const [, kind, major, minor = '0'] = /^([A-Z]+)_(\d+)(?:\.(\d+))?/u.exec(version) ?? [];
  const [newestMajor, newestMinor] = newest[kind] ?? [-1, -1];
  return Number(major) < newestMajor || (Number(major) === newestMajor && Number(minor) <= newestMinor);
}

function newestGlibc({ versions }) {
  const minors = versions.flatMap((version) => /^GLIBC_2\.(\d+)/u.exec(version)?.[1] ?? []).map(Number);
  return `GLIBC_2.${Math.max(...minors)}`;
}

for (const arch of arches) {
  const name = path.join(directory, `linux-${arch}`, 'rkllm.node');
  const shown = path.relative(process.cwd(), name);
  try {
    if (!existsSync(name)) throw new RangeError('is not there: npm run prebuilds');
    const file = readFileSync(name);
    const problems = problemsOf(file, arch);
    if (problems.length > 0) throw new RangeError(problems.join('; '));
    const checksum = createHash('sha256').update(file).digest('hex');
    console.log(`${checksum}  ${shown}  ${file.length} bytes, ${newestGlibc(readElf(file))}`);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(`${shown}: ${'code' in error ? 'the file is cut off' : error.message}`);
    process.exitCode = 1;
  }
}
