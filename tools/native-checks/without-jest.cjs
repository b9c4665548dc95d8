/**
 * Test files without Jest's runner, which needs a binary for the processor that is emulated: with its `describe`, `test`
 * and `expect`, in this process, one file after the other.
 *   node tools/native-checks/without-jest.cjs PACKAGE FILE...
 * PACKAGE has dist/, and the tests as a checkout has them, compiled. FILE is one of them, with its path in PACKAGE.
 */
const assert = require('node:assert/strict');
const Module = require('node:module');
const path = require('node:path');
const circus = require('jest-circus');
const { expect } = require('expect');

const [directory, ...files] = process.argv.slice(2);
const root = path.resolve(directory);
const lib = path.join(root, 'lib') + path.sep;

/** What is tested is what was compiled, as in jest.config.cjs. */
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, parent, ...rest) {
  const file = /^\.{1,2}\//u.test(request) ? path.resolve(path.dirname(parent.filename), request) : '';
  return resolve.call(
    this,
    file.startsWith(lib) ? path.join(root, 'dist', file.slice(lib.length)) : request,
    parent,
    ...rest,
  );
};

const { afterAll, afterEach, beforeAll, beforeEach, describe, test } = circus;
const jest = { setTimeout() {} };
Object.assign(globalThis, { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test });

async function main() {
  for (const file of files) {
    circus.resetState();
    circus.getState().testTimeout = 120_000;
    require(path.join(root, file));
    const { testResults, unhandledErrors } = await circus.run();
    const failed = testResults.filter(({ errors }) => errors.length > 0);
    for (const { testPath, errors } of failed) console.error(testPath.join(' '), ...errors);
    assert.deepEqual([failed.length, unhandledErrors], [0, []], file);
    assert.ok(testResults.length > 0, `${file} has no tests`);
    console.log(`${file}: ${testResults.length} passed on ${process.arch}, Node.js ${process.version}`);
  }
}

void main();
