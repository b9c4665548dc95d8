/** However the application ends, and whatever its model does then, the model's process ends too. */
import { once } from 'node:events';
import { childrenOf, isRunning } from '../support/processes.cjs';
import { FakeModel, until } from '../unit/rkllm/fake-model.js';
import { answerOf, startApp, type App, type AppState } from './isolated-app.js';

const scripts: Record<AppState, string[]> = {
  loading: ['init-delay-ms 200'],
  idle: [],
  running: ['token a', 'endless', 'token-us 300'],
  hanging: ['token a', 'endless', 'token-us 300', 'fail decode hang 3'],
};

/** What leads to the end of the application, or of the thread that has the model. */
const ends: Record<string, (app: App) => Promise<unknown>> = {
  'is killed': ({ app }) => {
    app.kill('SIGKILL');
    return once(app, 'exit');
  },
  'calls process.exit()': ({ app }) => {
    app.send('exit');
    return once(app, 'exit');
  },
  'has an uncaught exception': ({ app }) => {
    app.send('throw');
    return once(app, 'exit');
  },
};

describe.each(Object.keys(scripts) as AppState[])('with a model that is %s', (state) => {
  /** The runtime leaves in order where it can. */
  async function expectLeft(model: FakeModel, host: number): Promise<void> {
    await until(() => !isRunning(host));
    expect(model.calls.filter((call) => call === 'destroy')).toHaveLength(state === 'hanging' ? 0 : 1);
  }

  test.each(Object.entries(ends))('the application %s', async (_, end) => {
    const model = new FakeModel(...scripts[state]);
    const app = await startApp(model, state);
    await end(app);
    await expectLeft(model, app.host);
  });

  test('the worker thread is terminated: not even a zombie is left', async () => {
    const model = new FakeModel(...scripts[state]);
    const { app, pid, host } = await startApp(model, state, { worker: true });
    app.send('terminate');
    expect(await answerOf(app)).toBe('terminated');
    expect(childrenOf(pid)).toEqual([]);
    await expectLeft(model, host);
  });
});
