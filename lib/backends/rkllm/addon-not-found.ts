import path from 'node:path';
import { glibcVersion } from '../../board/machine.js';
import { RkllmError } from '../../errors.js';

/** System packages that a build from source needs, as Debian and Ubuntu call them. */
export const buildPackages: readonly string[] = ['g++', 'make', 'cmake'];

/** This file is three levels below the package's root, in `lib/` as in `dist/`. */
export const packageRoot = path.join(__dirname, '..', '..', '..');

/** Of an addon that is not there, or that the system refuses to load. `cause` is what node-gyp-build or the system says. */
export function addonNotFound(cause: unknown): RkllmError {
  const platform = { platform: process.platform, arch: process.arch, libc: libc(), node: process.version };
  const tried = places();
  return new RkllmError(
    'RKLLM_ADDON_NOT_FOUND',
    `The native part of rkllm could not be loaded for ${platform.platform}-${platform.arch} (${platform.libc}), Node.js ${platform.node}: ${firstLine(messageOf(cause))}; places: ${tried.join(', ')}`,
    {
      hint: `The package has it for Linux on x64 and arm64 with glibc 2.28 or newer. To build it, in a checkout: sudo apt-get install ${buildPackages.join(' ')}, then npm ci and npm run build:native. The CPU backend (onnx) works without it.`,
      details: { ...platform, tried, packages: [...buildPackages] },
      cause,
    },
  );
}

/** Where node-gyp-build looks, in its order. */
function places(): string[] {
  const { RKLLM_PREBUILD: elsewhere, PREBUILDS_ONLY: noBuilds } = process.env;
  const base = elsewhere ? path.resolve(elsewhere) : packageRoot;
  const prebuilds = path.join('prebuilds', `${process.platform}-${process.arch}`);
  return [
    ...(noBuilds ? [] : [path.join(base, 'build', 'Release'), path.join(base, 'build', 'Debug')]),
    path.join(base, prebuilds),
    path.join(path.dirname(process.execPath), prebuilds),
  ];
}

function libc(): string {
  const glibc = glibcVersion();
  return glibc === undefined ? 'no glibc' : `glibc ${glibc}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
