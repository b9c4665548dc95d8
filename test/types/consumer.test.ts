import { realpathSync } from 'node:fs';
import path from 'node:path';
import { root, runNode } from '../support/run-node.js';

const project = path.join(__dirname, 'consumer');

/** The oldest TypeScript that the README promises, the one that builds this package, and the newest. */
const compilers: [string, string][] = [
  ['5.2', path.join(root, 'node_modules', 'typescript-oldest', 'bin', 'tsc')],
  ['that builds it', path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')],
  ['7', path.join(root, 'node_modules', 'typescript-newest', 'bin', 'tsc')],
];

/** Ways to resolve modules that each of them knows. */
const resolutions: [string, string][] = [
  ['nodenext', 'nodenext'],
  ['node16', 'node16'],
];

test('the command tsc is the compiler that builds it, not one of the others', () => {
  const command = realpathSync(path.join(root, 'node_modules', '.bin', 'tsc'));
  expect(command).toBe(path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'));
});

/** What the package's declarations look like from outside, without our compiler options and with none skipped. */
describe.each(compilers)('with TypeScript %s', (version, tsc) => {
  test('it is that one', async () => {
    const { stdout } = await runNode([tsc, '--version']);
    expect(stdout).toMatch(/^Version \d+\.\d+/u);
    expect(stdout.startsWith(`Version ${version}`) || version === 'that builds it').toBe(true);
  });

  test('what must compile compiles, and what must not does not', async () => {
    const { code, stdout } = await runNode([tsc, '-p', path.join(__dirname, 'tsconfig.api.json')]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  test.each(resolutions)('an app with module %s and moduleResolution %s compiles', async (module, moduleResolution) => {
    const options = ['--module', module, '--moduleResolution', moduleResolution];
    const { code, stdout } = await runNode([tsc, '-p', project, ...options]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });
});

test('an app with module preserve and moduleResolution bundler compiles', async () => {
  const [, [, tsc] = ['', '']] = compilers;
  const { code, stdout } = await runNode([tsc, '-p', project, '--module', 'preserve', '--moduleResolution', 'bundler']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
});
