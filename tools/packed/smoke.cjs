/**
 * What a user does first, with the package as it was installed; .ci/packed runs it in every surrounding. It is given the
 * package, because how that is loaded is what differs. FAKE_RUNTIME is the path of a fake runtime; NO_ADDON says that there
 * is no binary for this system, NO_PROCESS that Node.js cannot start itself here.
 *
 * @param {typeof import('rkllm')} rkllm
 * @param {typeof import('rkllm/testing')} testing
 */
module.exports = async function smoke({ isRkllmError, loadModel }, { scripted }) {
  const { FAKE_RUNTIME: runtimePath, NO_ADDON: noAddon, NO_PROCESS: noProcess } = process.env;
  const answers = {
    scripted: await answerOf(await loadModel(undefined, { backend: scripted({ reply: 'One two three.' }) })),
    onnx: await answerOf(await loadModel()),
  };
  assert.equal(answers.scripted, 'One two three.');
  assert.match(answers.onnx, /RK3588/u);
  for (const isolation of noProcess ? ['none'] : ['process', 'none']) {
    const loading = loadModel(fakeModel, { runtimePath, template: 'none', isolation });
    if (noAddon) {
      const error = await loading.catch((reason) => reason);
      assert.ok(isRkllmError(error, 'RKLLM_ADDON_NOT_FOUND'), String(error));
      assert.match(error.hint, /The CPU backend \(onnx\) works without it/u);
    } else {
      assert.equal(await answerOf(await loading), 'Hello from the stand-in.');
    }
  }
};

const assert = require('node:assert/strict');
const { writeFileSync } = require('node:fs');
const path = require('node:path');

const fakeModel = path.join(__dirname, `fake-${process.pid}.rkllm`);
writeFileSync(fakeModel, '#fake-rkllm\ntoken Hello\ntoken  from\ntoken  the\ntoken  stand-in.\n');

async function answerOf(model) {
  let text = '';
  for await (const piece of model.generate('What is the RK3588?').textStream) text += piece;
  await model.dispose();
  return text;
}
