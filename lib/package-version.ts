import { readFileSync } from 'node:fs';
import path from 'node:path';

/** This package's version. This file is one level below the package's root, in `lib/` as in `dist/`. */
export function packageVersion(): string {
  const file = path.join(__dirname, '..', 'package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}
