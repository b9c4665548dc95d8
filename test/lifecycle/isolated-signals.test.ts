/** Signals to the application's process group are the application's business. */
import { isRunning } from '../support/processes.cjs';
import { FakeModel, until } from '../unit/rkllm/fake-model.js';
import { answerOf, startApp } from './isolated-app.js';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s to the group leaves the model alone', async (signal) => {
  const model = new FakeModel('token still ', 'token there');
  const { app, pid, host } = await startApp(model, 'idle', { detached: true });
  process.kill(-pid, signal);
  expect(await answerOf(app)).toBe(signal);
  expect(isRunning(host)).toBe(true);
  app.send('generate');
  expect(await answerOf(app)).toBe('still there');
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s to the process itself does so too', async (signal) => {
  const model = new FakeModel('token still ', 'token there');
  const { app, host } = await startApp(model, 'idle');
  process.kill(host, signal);
  app.send('generate');
  expect(await answerOf(app)).toBe('still there');
  app.send('exit');
  await until(() => !isRunning(host));
});
