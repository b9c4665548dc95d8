/**
 * A jest reporter that leaves the totals of the run in build/test-report.json, for .ci/run to print.
 * @implements {import('@jest/reporters').Reporter}
 */
const { mkdirSync, writeFileSync } = require('node:fs');
const path = require('node:path');

module.exports = class TestReport {
  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = results;
    const directory = path.join(__dirname, '..', 'build');
    mkdirSync(directory, { recursive: true });
    const totals = {
      passed: numPassedTests,
      failed: numFailedTests + numRuntimeErrorTestSuites,
      skipped: numPendingTests,
    };
    writeFileSync(path.join(directory, 'test-report.json'), JSON.stringify(totals));
  }
};
