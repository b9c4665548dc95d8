import path from 'node:path';
import { root, runNode } from '../support/run-node.js';

const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const project = path.join(__dirname, 'consumer');

/** What the package's declarations look like from outside, without our compiler options. */
test.each([
  ['nodenext', 'nodenext'],
  ['node20', 'node16'],
  ['preserve', 'bundler'],
])('an app with module %s and moduleResolution %s compiles', async (module, moduleResolution) => {
  const { code, stdout } = await runNode([
    tsc,
    '-p',
    project,
    '--module',
    module,
    '--moduleResolution',
    moduleResolution,
  ]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
});
