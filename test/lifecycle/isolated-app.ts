import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { childrenOf } from '../support/processes.cjs';
import { fakeRuntime, type FakeModel } from '../unit/rkllm/fake-model.js';

export type AppState = 'loading' | 'idle' | 'running' | 'hanging';

const apps = new Set<ChildProcess>();
afterEach(() => {
  for (const app of apps) app.kill('SIGKILL');
  apps.clear();
});

export interface AppChoices {
  readonly worker?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  /** A file descriptor that it has and leaves open for its children. */
  readonly leftOpen?: number;
  /** In a process group of its own. */
  readonly detached?: boolean;
}

/** An application that is in a state, and the process of its model. */
export interface App {
  readonly app: ChildProcess;
  readonly pid: number;
  readonly host: number;
}

/** Starts isolated-app.cjs. It is killed at the end of the test. */
export async function startApp(
  model: FakeModel,
  state: AppState,
  { worker = false, env, leftOpen, detached = false }: AppChoices = {},
): Promise<App> {
  const app = fork(path.join(__dirname, 'isolated-app.cjs'), worker ? [state, 'worker'] : [state], {
    env: { ...process.env, MODEL: model.path, RUNTIME: fakeRuntime('1.1.1'), ...env },
    detached,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc', leftOpen ?? 'ignore'],
  });
  apps.add(app);
  expect(await answerOf(app)).toBe('there');
  const { pid = -1 } = app;
  const [host] = childrenOf(pid);
  expect(host?.name).toBe('rkllm-host');
  return { app, pid, host: host?.pid ?? -1 };
}

/** The next thing that it says. */
export async function answerOf(app: ChildProcess): Promise<unknown> {
  const [message] = (await once(app, 'message')) as [unknown];
  return message;
}
