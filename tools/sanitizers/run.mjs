// Builds the addon and the fake runtime with sanitizers and runs stress.cjs on them:
//   node tools/sanitizers/run.mjs [address] [thread]
// Exit code 0 only when no sanitizer has anything to say. Node.js itself is not instrumented; the runtime libraries of
// the sanitizers are preloaded.
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '..', '..');

const flavours = {
  address: {
    sanitize: 'address,undefined',
    libraries: ['libasan.so', 'libubsan.so'],
    env: {
      ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  },
  thread: {
    sanitize: 'thread',
    libraries: ['libtsan.so'],
    env: { TSAN_OPTIONS: `second_deadlock_stack=1:suppressions=${path.join(here, 'tsan.supp')}` },
  },
};

function runFlavour(name) {
  const { sanitize, libraries, env } = flavours[name];
  const home = path.join(root, `build-${name}`);
  // node-gyp-build looks for build/Debug in the directory that RKLLM_PREBUILD names.
  const out = path.join(home, 'build', 'Debug');
  const cmakeJs = path.join(root, 'node_modules', '.bin', 'cmake-js');
  execFileSync(cmakeJs, ['build', '-D', '-O', out, `--CDRKLLM_SANITIZE=${sanitize}`], { cwd: root, stdio: 'inherit' });

  const preload = libraries.map((library) =>
    execFileSync('g++', [`-print-file-name=${library}`], { encoding: 'utf8' }),
  );
  const isClean = (argument, options) => {
    const { status, signal } = spawnSync(process.execPath, ['--expose-gc', path.join(here, 'stress.cjs'), argument], {
      stdio: 'inherit',
      env: {
        ...process.env,
        ...env,
        ...options,
        LD_PRELOAD: preload.map((file) => file.trim()).join(':'),
        RKLLM_PREBUILD: home,
        RUNTIME: path.join(out, 'fake', 'librkllmrt-1.1.1.so'),
      },
    });
    console.log(`${name}, ${argument}: ${status === 0 ? 'clean' : `failed (exit code ${status}, signal ${signal})`}`);
    return status === 0;
  };
  const results = [isClean('all', {}), isClean('leave', { ASAN_OPTIONS: 'detect_leaks=0' })];
  return results.every(Boolean);
}

const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : Object.keys(flavours);
const results = names.map(runFlavour);
process.exitCode = results.every(Boolean) ? 0 : 1;
