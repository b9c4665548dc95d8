// Says what is missing before CMake says it in its own words. Run by `npm run build:native`.
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Whether one of the programs is on PATH. An absolute path, as CXX may hold, is looked at itself. */
function isInstalled(programs) {
  const directories = (process.env.PATH ?? '').split(path.delimiter).filter((directory) => directory !== '');
  return programs.some((program) => directories.some((directory) => isExecutable(path.resolve(directory, program))));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const cxx = process.env.CXX?.split(' ')[0];
const missing = [
  { what: 'a C++ compiler (g++ or clang++)', programs: [...(cxx ? [cxx] : []), 'c++', 'g++', 'clang++'] },
  { what: 'cmake', programs: ['cmake'] },
  { what: 'make or ninja', programs: ['make', 'ninja', 'ninja-build'] },
].filter(({ programs }) => !isInstalled(programs));

if (missing.length > 0) {
  console.error(
    [
      'The native part of rkllm cannot be built here. Not found on PATH:',
      ...missing.map(({ what }) => `  - ${what}`),
      'To install what is needed on Debian or Ubuntu:',
      '  sudo apt-get install g++ make cmake',
      'The CPU backend works without the native part: npm start.',
    ].join('\n'),
  );
  process.exitCode = 1;
}
