import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The package onnxruntime-node, as its files show it. */
export interface OrtPackage {
  readonly version: string;
  /** It has a binary for this platform. Whether that can be loaded, only loading it shows. */
  readonly hasBinary: boolean;
}

/** The first release that can be loaded again after its last worker has ended (1.24 does not register a second time); as `peerDependencies` of package.json. */
export const oldestOrt = '1.25.0';

/**
 * What installs it here. Its install script downloads GPU libraries on x64 Linux, whether there is a GPU or not, and fails
 * where it cannot: the variable skips that. Nothing of them is used.
 */
export function installOrt(platform: NodeJS.Platform = process.platform, arch: string = process.arch): string {
  const command = 'npm install onnxruntime-node@1';
  return platform === 'linux' && arch === 'x64' ? `ONNXRUNTIME_NODE_INSTALL=skip ${command}` : command;
}

/** Platforms that it has binaries for. */
export const ortPlatforms = '64-bit Linux with glibc 2.28 or later, Windows, and macOS on Apple silicon';

/** Looks for the package without loading it. Undefined: it is not installed. */
export function findOrtPackage(): OrtPackage | undefined {
  try {
    const manifest = require.resolve('onnxruntime-node/package.json');
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    const binaries = path.join(path.dirname(manifest), 'bin');
    const hasBinary = readdirSync(binaries).some((name) =>
      existsSync(path.join(binaries, name, process.platform, process.arch, 'onnxruntime_binding.node')),
    );
    return { version, hasBinary };
  } catch {
    return undefined;
  }
}
