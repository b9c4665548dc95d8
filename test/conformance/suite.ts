import type { Harness } from './harness.js';
import { describeChats } from './parts/chats.js';
import { describeInput } from './parts/input.js';
import { describeLifetime } from './parts/lifetime.js';
import { describeStopping } from './parts/stopping.js';
import { describeStreaming } from './parts/streaming.js';

/**
 * What this library promises of every backend. What a backend need not be able to do is decided from what the model
 * says of itself (`model.capabilities`, `model.info`, figures that are not `undefined`), never from its name.
 */
export function describeBackend(name: string, harness: Harness): void {
  describe(`the ${name} backend`, () => {
    describeStreaming(harness);
    describeStopping(harness);
    describeInput(harness);
    describeChats(harness);
    describeLifetime(harness);
  });
}
