/** Bytes that are no frame, in either direction, end the model's process and nothing else. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Socket } from 'node:net';
import { loadModel, type RkllmError } from 'rkllm';
import { messageFrame, tokensFrame } from '../../lib/backends/rkllm/isolated/frames.js';
import { childrenOf, isRunning } from '../support/processes.cjs';
import { failureOf } from '../support/reading.js';
import { root } from '../support/run-node.js';
import { FakeModel, fakeRuntime, until } from '../unit/rkllm/fake-model.js';

const options = { runtimePath: fakeRuntime('1.1.1'), template: 'none' } as const;
const hosts = (): number[] => childrenOf(process.pid).map(({ pid }) => pid);

describe('from the runtime', () => {
  test.each([
    ['in a load', 'load', 'load'],
    ['in a prefill', 'prefill', 'prefill'],
  ])('%s', async (_, place, phase) => {
    const model = new FakeModel('token a', `write ${place} 3 this-is-no-frame`, `fail ${place} hang`);
    const error = await failureOf(async () => {
      const loaded = await loadModel(model.path, options);
      await loaded.generate('hi');
    });
    expect(error).toMatchObject({ code: 'RKLLM_RUNTIME_CRASHED', details: { phase, signal: 'SIGKILL' } });
    expect((error as RkllmError).message).toContain(
      'sent what cannot be read (746869732d69732d is not the head of a frame)',
    );
    await until(() => hosts().length === 0);
  });

  test('while it is disposed of', async () => {
    const model = new FakeModel('write destroy 3 this-is-no-frame', 'fail destroy hang');
    const loaded = await loadModel(model.path, options);
    const error = await failureOf(() => loaded.dispose());
    expect(error).toMatchObject({ code: 'RKLLM_RUNTIME_CRASHED', details: { phase: 'dispose', signal: 'SIGKILL' } });
    await until(() => hosts().length === 0);
  });
});

describe('to the host', () => {
  /** The other process without an application. */
  function startHost(): { host: ChildProcess; socket: Socket; stderr: () => string } {
    const file = path.join(root, 'dist/backends/rkllm/isolated/host.js');
    const host = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
    let text = '';
    host.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    host.stdout?.resume();
    const socket = host.stdio[3] as Socket;
    socket.on('error', () => undefined);
    return { host, socket, stderr: () => text };
  }

  const load = (model: FakeModel): Buffer[] =>
    messageFrame({
      type: 'load',
      options: { runtimePath: options.runtimePath, modelPath: model.path, maxContextLength: 64 },
      logMark: 'mark',
    });
  const tokens = tokensFrame(0, { bytes: Buffer.from('a'), tokenIds: Int32Array.of(1), ends: Uint32Array.of(1) });

  test.each([
    ['bytes that are no frame', [Buffer.from('this is no frame')], 'is not the head of a frame'],
    ['a frame that is for applications', [tokens], 'Only messages come from the application.'],
    ['another message than load', messageFrame({ type: 'dispose' }), 'The first message has to be load.'],
    ['no message at all', messageFrame(null), 'null'],
    ['a load of nothing', messageFrame({ type: 'load', options: {}, logMark: '' }), 'must be a string'],
  ])('%s before a load: it says so and ends', async (_, frames, said) => {
    const { host, socket, stderr } = startHost();
    socket.write(Buffer.concat(frames));
    expect(await once(host, 'close')).toEqual([1, null]);
    expect(stderr()).toContain(said);
  });

  test('nothing, and the end: it ends without a word', async () => {
    const { host, socket, stderr } = startHost();
    socket.end();
    expect(await once(host, 'close')).toEqual([0, null]);
    expect(stderr()).toBe('');
  });

  test('the end of all that it is connected to, during a load: the runtime leaves in order', async () => {
    const model = new FakeModel('print load reading', 'init-delay-ms 200');
    const { host, socket } = startHost();
    socket.write(Buffer.concat(load(model)));
    await until(() => model.calls.includes('init'));
    for (const stream of [socket, host.stdout, host.stderr]) stream?.destroy();
    expect(await once(host, 'exit')).toEqual([0, null]);
    expect(model.calls).toEqual(['init', 'destroy']);
  });

  test.each([
    ['bytes that are no frame', () => [Buffer.from('this is no frame')]],
    ['another load', load],
  ])('%s after a load: the runtime leaves in order', async (_, frames) => {
    const model = new FakeModel();
    const { host, socket, stderr } = startHost();
    socket.write(Buffer.concat(load(model)));
    await until(() => model.calls.includes('init'));
    socket.write(Buffer.concat(frames(model)));
    expect(await once(host, 'close')).toEqual([0, null]);
    expect(stderr()).not.toBe('');
    expect(model.calls).toEqual(['init', 'destroy']);
    expect(isRunning(host.pid ?? -1)).toBe(false);
  });
});
