import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The package onnxruntime-node, as its files show it. */
export interface OrtPackage {
  readonly version: string;
  /** It has a binary for this platform. Whether that can be loaded, only loading it shows. */
  readonly hasBinary: boolean;
}

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
