/**
 * The package as it is installed, with the conformance suite: the fake runtime of every generation through the binary that
 * ships. For machines on which the tests cannot run.
 *   node tools/native-checks/installed.cjs DIRECTORY FAKES ISOLATION...
 * DIRECTORY has the package in its node_modules, FAKES the fake runtimes. ISOLATION: `none`, `process` or both. A process
 * of its own takes long to start where it is emulated: of those the oldest and the newest runtime are tried, with streaming.
 */
const assert = require('node:assert/strict');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { tmpdir } = require('node:os');
const path = require('node:path');

const [directory, fakes, ...isolations] = process.argv.slice(2);
const installed = createRequire(path.resolve(directory, 'app.js'));
const { conformance } = installed('rkllm/testing');

const releases = ['1.1.1', '1.2.0', '1.2.1b1', '1.2.3', '1.3.0', '1.3.1'];
const scripts = {
  short: ['This', '\\x20answer', '\\x20has', '\\x20six', '\\x20tokens', '.'],
  long: Array.from({ length: 200 }, (_, index) => `\\x20word${index}`),
  unicode: ['At 80 ', '\\xC2', '\\xB0', 'C ', '\\xF0\\x9F', '\\x99', '\\x82!'],
};

const models = mkdtempSync(path.join(tmpdir(), 'rkllm-installed-'));
process.on('exit', () => rmSync(models, { recursive: true }));
for (const [kind, texts] of Object.entries(scripts)) {
  const lines = ['#fake-rkllm', 'token-us 2000', ...texts.map((text) => `token ${text}`), ''];
  writeFileSync(path.join(models, `phi-3-${kind}.rkllm`), lines.join('\n'));
}

/** Where the emulator finds the system of the processor: a child gets only what is named. */
const { QEMU_LD_PREFIX } = process.env;
const emulated = QEMU_LD_PREFIX === undefined ? {} : { runtimeEnv: { QEMU_LD_PREFIX } };

/** With a runtime of this release. */
const harnessOf = (release, isolation) => (kind) => ({
  path: path.join(models, `phi-3-${kind}.rkllm`),
  options: {
    backend: 'rkllm',
    runtimePath: path.resolve(fakes, `librkllmrt-${release}.so`),
    isolation,
    ...(isolation === 'process' ? emulated : {}),
  },
  question: 'How are you?',
});

const streaming = 'while an answer is written';
const subjects = isolations.flatMap((isolation) =>
  (isolation === 'process' ? [releases.at(0), releases.at(-1)] : releases).map((release) => ({
    name: `runtime ${release}, isolation '${isolation}'`,
    harness: harnessOf(release, isolation),
    group: isolation === 'process' ? streaming : '',
  })),
);

async function main() {
  const { glibcVersionRuntime } = process.report.getReport().header;
  const system = `${process.arch}, Node.js ${process.version}, glibc ${glibcVersionRuntime}`;
  const { loadModel } = installed('rkllm');
  const { loadModel: imported } = await import(installed.resolve('rkllm').replace(/\.js$/u, '.mjs'));
  assert.equal(typeof imported, typeof loadModel);
  for (const { name, harness, group } of subjects) {
    const cases = conformance(harness).filter((one) => one.name.startsWith(group));
    for (const one of cases) {
      await one.run().catch((error) => {
        throw new Error(`${name}: ${one.name}`, { cause: error });
      });
    }
    console.log(`${name}: ${cases.length} promises are kept on ${system}`);
  }
}

void main();
