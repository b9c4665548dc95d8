import { conformance } from 'rkllm/testing';
import type { Harness } from './harness.js';

/** What this library promises of every backend, the same cases that users can run against a backend of their own. */
export function describeBackend(name: string, harness: Harness): void {
  describe(`the ${name} backend`, () => {
    test.each(conformance(harness))('$name', ({ run: expectIsKept }) => expectIsKept());
  });
}
