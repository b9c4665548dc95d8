import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../support/run-node.js';

const changelog = `# Changelog

## [Unreleased]

## [2.0.0] - 2026-12-31

### Added

- Something.

## [1.9.0] - 2026-11-30

- Something else.

## [1.8.0] - 2026-10-31
`;

describe('the notes of a release', () => {
  const notes = (version: string): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [path.join(root, 'tools', 'release', 'notes.mjs'), version], {
      input: changelog,
      encoding: 'utf8',
    });

  test.each([
    ['2.0.0', '### Added\n\n- Something.\n'],
    ['1.9.0', '- Something else.\n'],
  ])('of %s are its section of the changelog', (version, stdout) => {
    expect(notes(version)).toMatchObject({ status: 0, stdout, stderr: '' });
  });

  test.each(['Unreleased', '1.8.0', '1.9', '3.0.0', ''])('of %p are missing, and that is said', (version) => {
    expect(notes(version)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining(`has nothing under "## [${version}]"`) as string,
    });
  });
});

describe('the check of a release refuses, before it builds anything,', () => {
  let repository: string;
  const git = (...args: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.org', ...args], {
      cwd: repository,
    });

  beforeAll(() => {
    repository = mkdtempSync(path.join(tmpdir(), 'rkllm-release-'));
    cpSync(path.join(root, 'tools', 'release'), path.join(repository, 'tools', 'release'), { recursive: true });
    writeFileSync(path.join(repository, 'package.json'), '{ "name": "rkllm", "version": "3.0.0" }');
    writeFileSync(path.join(repository, 'CHANGELOG.md'), changelog);
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '--message', 'A release');
  });
  afterAll(() => rmSync(repository, { recursive: true }));

  test.each([
    ['an option that it does not know', ['--skip'], 'release: --skip is no option\n'],
    ['a tag that is not there', ['v3.0.0'], 'release: there is no tag v3.0.0\n'],
    ['a checkout without a tag', [], 'release: what is checked out has no tag\n'],
  ])('%s', (_, args, said) => {
    const script = path.join(repository, 'tools', 'release', 'check.sh');
    const { status, stdout, stderr } = spawnSync('bash', [script, ...args], { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: '', stderr: said });
  });

  test.each([
    ['a tag that is not the version', 'v2.0.0', 'release: the tag is v2.0.0, and package.json says 3.0.0\n'],
    ['a version without notes', 'v3.0.0', 'CHANGELOG.md has nothing under "## [3.0.0]"'],
  ])('%s', (_, tag, said) => {
    git('tag', tag);
    const script = path.join(repository, 'tools', 'release', 'check.sh');
    const { status, stdout, stderr } = spawnSync('bash', [script], { encoding: 'utf8' });
    git('tag', '--delete', tag);
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining(said) as string,
    });
  });
});

test('the workflow publishes what the check has left, and asks for no token', () => {
  const workflow = readFileSync(path.join(root, '.github', 'workflows', 'release.yml'), 'utf8');
  expect(workflow).toContain('npm run release:check -- "$GITHUB_REF_NAME"');
  expect(workflow).toMatch(/npm publish .*\.\/build-release\/\*\.tgz/u);
  expect(workflow).not.toMatch(/NODE_AUTH_TOKEN|NPM_TOKEN|secrets\./u);
});
