import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

export const root = path.resolve(__dirname, '..', '..');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface NodeChoices {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Called when the process has been started, to talk to it. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs Node in the package's root, where `rkllm` resolves to the package itself. */
export function runNode(args: readonly string[], { env, input, onStart }: NodeChoices = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, env: { ...cleanEnvironment(), ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    onStart?.(child);
    if (input !== undefined) child.stdin.end(input);
  });
}

/** Runs a CommonJS program. */
export function runScript(source: string, choices?: NodeChoices): Promise<Ended> {
  return runNode(['-e', source], choices);
}

/** Runs an ES module. */
export function runModule(source: string, choices?: NodeChoices): Promise<Ended> {
  return runNode(['--input-type=module', '-e', source], choices);
}

/** The test runner's environment without what would change how the library behaves. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of ['RKLLM_BACKEND', 'RKLLM_MODEL', 'RKLLM_RUNTIME_PATH', 'NODE_OPTIONS']) {
    Reflect.deleteProperty(env, name);
  }
  return env;
}
