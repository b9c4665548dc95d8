import { execFile } from 'node:child_process';
import path from 'node:path';

export interface NodeResult {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Before every script: the backend of a build, a load request, and a run of token ids. */
export function preamble(dist = path.resolve('dist')): string {
  return `
    const { createOnnxBackend } = require(${JSON.stringify(path.join(dist, 'backends/onnx/index.js'))});
    const request = (path) => ({ path, sampling: {}, threads: 1 });
    const run = (input, options) => ({ input: { type: 'tokens', tokenIds: Int32Array.from(input) }, sampling: {}, ...options });
  `;
}

/** Runs an async script in a Node.js process of its own, and says how that ended. */
export function runNode(script: string, dist = path.resolve('dist')): Promise<NodeResult> {
  const source = `${preamble(dist)} (async () => { ${script} })();`;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['-e', source], (_, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
  });
}
