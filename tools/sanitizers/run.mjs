// Builds the addon and the fake runtimes with sanitizers and runs on them all that can happen in one process, and every
// way in which a process or a worker ends, each in a process of its own, which inherits what is set here:
//   node tools/sanitizers/run.mjs [address] [thread]
// Exit code 0 only when no sanitizer has anything to say. Node.js itself is not instrumented; the runtime libraries of
// the sanitizers are preloaded. Every suppression is justified in its file.
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '..', '..');

/** What a process ends with when a sanitizer has something to say. No program here does so by itself. */
const found = 'exitcode=86';
const asanOptions = `${found}:detect_stack_use_after_return=1:strict_string_checks=1`;

const flavours = {
  address: {
    sanitize: 'address,undefined',
    libraries: ['libasan.so', 'libubsan.so'],
    env: {
      ASAN_OPTIONS: `${asanOptions}:detect_leaks=1`,
      LSAN_OPTIONS: `${found}:suppressions=${path.join(here, 'lsan.supp')}:print_suppressions=0`,
      UBSAN_OPTIONS: `${found}:print_stacktrace=1`,
    },
  },
  thread: {
    sanitize: 'thread',
    libraries: ['libtsan.so'],
    env: { TSAN_OPTIONS: `${found}:second_deadlock_stack=1:suppressions=${path.join(here, 'tsan.supp')}` },
  },
};

/** V8 leaves its heap as it is when a process is told to exit: leaks cannot be looked for then. */
const noLeaks = { ASAN_OPTIONS: `${asanOptions}:detect_leaks=0` };
const jestFile = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
/** Tests in the project of that name, one by one unless they are processes themselves. */
const jest = (project, ...options) => [jestFile, `--selectProjects=${project}`, ...options];

const ends = ['rkllm-grid-exit', 'rkllm-exit', 'rkllm-answers-exit'].map((name) => `test/lifecycle/${name}`);
/** The tests whose programs come to their natural end, so that leaks can be looked for. */
const tidyEnds =
  '(the natural end|only workers|the end of the program (comes|waits)|a forgotten model|worker.terminate)';

/** What is run: name, arguments of node, changes of the environment. */
const programs = [
  ['stress', ['--expose-gc', path.join(here, 'stress.cjs'), 'all'], {}],
  ['process.exit() in a run', [path.join(here, 'stress.cjs'), 'leave'], noLeaks],
  ['native arguments', jest('all', '--runInBand', 'test/fuzz/native-arguments'), {}],
  [
    'lifecycle',
    jest(
      'all',
      '--runInBand',
      'test/lifecycle/rkllm-grid.test',
      'test/lifecycle/rkllm-completion',
      'test/lifecycle/rkllm-text',
      'test/lifecycle/rkllm-event-loop',
    ),
    {},
  ],
  // The runtime's process inherits the sanitizer: what that finds is a crash there, which no test expects.
  ['a process for each model', jest('isolated', '--runInBand', 'test/lifecycle/rkllm-grid.test'), noLeaks],
  ['natural ends and workers', jest('all', '--runInBand', `--testNamePattern=^${tidyEnds}`, ...ends), {}],
  ['other ends', jest('all', `--testNamePattern=^(?!${tidyEnds})`, ...ends), noLeaks],
];

function build(name, sanitize) {
  const home = path.join(root, `build-${name}`);
  // node-gyp-build looks for build/Debug in the directory that RKLLM_PREBUILD names.
  const out = path.join(home, 'build', 'Debug');
  const cmakeJs = path.join(root, 'node_modules', '.bin', 'cmake-js');
  execFileSync(cmakeJs, ['build', '-D', '-O', out, `--CDRKLLM_SANITIZE=${sanitize}`], { cwd: root, stdio: 'inherit' });
  return { home, out };
}

function runFlavour(name) {
  const { sanitize, libraries, env } = flavours[name];
  const { home, out } = build(name, sanitize);
  const preload = libraries.map((library) =>
    execFileSync('g++', [`-print-file-name=${library}`], { encoding: 'utf8' }).trim(),
  );
  const isClean = ([title, args, changes]) => {
    const begun = performance.now();
    const { status, signal } = spawnSync(process.execPath, args, {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        ...env,
        ...changes,
        LD_PRELOAD: preload.join(':'),
        RKLLM_PREBUILD: home,
        RKLLM_FAKES: path.join(out, 'fake'),
        RUNTIME: path.join(out, 'fake', 'librkllmrt-1.1.1.so'),
      },
    });
    const seconds = Math.round((performance.now() - begun) / 1000);
    const verdict = status === 0 ? 'clean' : `failed (exit code ${status}, signal ${signal})`;
    console.log(`${name}, ${title}: ${verdict}, ${seconds} s`);
    return status === 0;
  };
  return programs.map(isClean).every(Boolean);
}

const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : Object.keys(flavours);
const results = names.map(runFlavour);
process.exitCode = results.every(Boolean) ? 0 : 1;
