/** While the application does not read, tokens stay where they are cheap: packed, in the addon. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelHandle, NativeAddon, RunHandle } from '../../../lib/backends/rkllm/addon.js';
import { FrameReader, type Frame } from '../../../lib/backends/rkllm/isolated/frames.js';
import { FrameSocket } from '../../../lib/backends/rkllm/isolated/frame-socket.js';
import { HostRun } from '../../../lib/backends/rkllm/isolated/host-run.js';
import { until } from '../rkllm/fake-model.js';

const batches = 20_000;
const tokensOfBatch = 100;
const bytesOfBatch = 20 + 8 * tokensOfBatch + tokensOfBatch;

const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-pair-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function socketPair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(path.join(directory, 'socket'));
  await once(server, 'listening');
  const near = connect(path.join(directory, 'socket'));
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return { near, far };
}

/** A run that has many tokens at once. Ids count up. */
class Flood {
  drained = 0;

  readonly addon = {
    drain: () => (this.drained < batches ? this.#batch(this.drained++) : undefined),
    arm: () => this.drained < batches,
    abort: () => true,
  } as unknown as NativeAddon;

  #batch(number: number): ReturnType<NativeAddon['drain']> {
    return {
      bytes: Buffer.alloc(tokensOfBatch, 'a'),
      tokenIds: Int32Array.from({ length: tokensOfBatch }, (_, index) => number * tokensOfBatch + index),
      ends: Uint32Array.from({ length: tokensOfBatch }, (_, index) => index + 1),
    };
  }
}

test('they stay in the addon, and come in order when it reads', async () => {
  const { near, far } = await socketPair();
  const flood = new Flood();
  const socket = new FrameSocket(
    near,
    () => undefined,
    () => undefined,
  );
  const run = new HostRun(flood.addon, {} as ModelHandle, {} as RunHandle, 7, socket);
  await until(() => near.writableNeedDrain);

  // The kernel takes what a socket holds, and this process a batch more than its mark; then nothing moves.
  const { drained } = flood;
  await sleep(50);
  expect(flood.drained).toBe(drained);
  expect(near.writableLength).toBeLessThan(near.writableHighWaterMark + bytesOfBatch);
  expect(drained * bytesOfBatch).toBeLessThan((batches * bytesOfBatch) / 10);

  const frames: Frame[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  far.on('data', (chunk) => reader.take(chunk)).resume();
  await until(() => frames.length === batches);
  let next = 0;
  let inOrder = true;
  for (const frame of frames) {
    if (frame.kind !== 'tokens' || frame.run !== 7) throw new Error('That was not written.');
    for (const id of frame.batch.tokenIds) inOrder &&= id === next++;
  }
  expect([next, inOrder]).toEqual([batches * tokensOfBatch, true]);
  run.end();
  far.destroy();
  near.destroy();
});
