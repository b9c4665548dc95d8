/**
 * A model in every state × its disposal, and the abort of its runs, in one process: for memory checkers, which are too
 * slow for the tests. The ends of workers and of processes in these states are test/lifecycle/rkllm-leave.cjs.
 *   node tools/native-checks/every-state.cjs
 * RKLLM_PREBUILD names the directory above `build/` of another addon than the checkout's, RKLLM_FAKES the directory of
 * its fake runtimes. Needs dist/.
 */
const assert = require('node:assert/strict');
const { calls, newJournal, refusedLoads, removeFakeModels, states } = require('../../test/lifecycle/rkllm-states.cjs');

async function dispose(subject) {
  subject.dispose();
  await subject.saying('disposed');
}

/** Of the run that is in flight, and of one that waits behind it. */
async function abort(subject, state) {
  if (state !== 'disposing' && state !== 'disposed') subject.generate(Infinity);
  subject.runs.forEach((_, index) => subject.abort(index));
  for (const outcome of await subject.outcomes())
    assert.match(outcome, state === 'failed' ? /failed|aborted/u : /aborted/u);
  await dispose(subject);
}

function assertInOrder() {
  const count = (call) => calls().filter((line) => line.startsWith(call)).length;
  assert.equal(count('violation') + count('abort-idle'), 0);
  assert.equal(count('run-end'), count('run '));
  assert.equal(count('destroy'), count('init') - refusedLoads());
}

async function main() {
  for (const [state, enter] of Object.entries(states)) {
    for (const act of [dispose, abort]) {
      newJournal();
      await act(await enter(), state);
      assertInOrder();
    }
    console.log(`${state}: can be aborted and disposed of`);
  }
}

process.on('exit', removeFakeModels);
void main();
