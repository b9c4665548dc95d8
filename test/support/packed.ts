import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from './run-node.js';

const run = promisify(execFile);

/** A project that has installed this package as users do, from what `npm pack` makes of it. */
export interface PackedProject {
  readonly directory: string;
  /** The package in its `node_modules`. */
  readonly installed: string;
  readonly tarball: string;
}

const inRoot = (...names: string[]): string => path.join(root, ...names);

/**
 * Packs and installs the package, without compiler, scripts, network and optional peers: its dependencies are copies of those
 * in this checkout.
 */
export async function installPacked(): Promise<PackedProject> {
  const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-packed-'));
  await npm(root, 'pack', '--silent', '--pack-destination', directory);
  const [name = ''] = readdirSync(directory).filter((file) => file.endsWith('.tgz'));
  const tarball = path.join(directory, name);
  const { dependencies } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')) as Record<'dependencies', object>;
  const copies = Object.keys(dependencies).map((key) => [key, `file:${inRoot('node_modules', key)}`] as const);
  const manifest = { private: true, dependencies: { ...Object.fromEntries(copies), rkllm: `file:${tarball}` } };
  writeFileSync(path.join(directory, 'package.json'), JSON.stringify(manifest));
  await npm(directory, 'install', '--install-links', '--offline', '--ignore-scripts', '--omit=optional');
  return { directory, installed: path.join(directory, 'node_modules', 'rkllm'), tarball };
}

/** Puts what is too large to copy, and what only a compiler needs, beside the package. */
export function addPeers({ directory }: PackedProject): void {
  mkdirSync(path.join(directory, 'node_modules', '@types'));
  for (const name of ['onnxruntime-node', '@types/node']) {
    symlinkSync(inRoot('node_modules', name), path.join(directory, 'node_modules', name));
  }
}

/** Copies the examples into the project and compiles them there, against the types of the installed package. */
export async function compileExamples({ directory }: PackedProject): Promise<void> {
  cpSync(inRoot('examples'), path.join(directory, 'examples'), { recursive: true });
  cpSync(inRoot('tsconfig.json'), path.join(directory, 'tsconfig.json'));
  const compiler = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [compiler, '-p', 'examples'], { cwd: directory }).catch((error: unknown) => {
    throw new Error((error as { stdout: string }).stdout);
  });
}

/** npm with an empty cache, and without the settings of an npm that runs these tests. */
async function npm(cwd: string, ...args: string[]): Promise<void> {
  const settings = Object.entries(process.env).filter(([name]) => !/^npm_/iu.test(name));
  const env = { ...Object.fromEntries(settings), npm_config_cache: path.join(tmpdir(), 'rkllm-packed-npm-cache') };
  await run('npm', args, { cwd, env, shell: process.platform === 'win32' });
}
