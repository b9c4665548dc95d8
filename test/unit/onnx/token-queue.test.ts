import fc from 'fast-check';
import { TokenQueue } from '../../../lib/backends/onnx/token-queue.js';

it('gives every token once, with its bytes, however often it is emptied and repacked', () => {
  const tokens = fc.array(fc.record({ id: fc.nat(), bytes: fc.uint8Array({ maxLength: 90 }), take: fc.boolean() }));
  fc.assert(
    fc.property(tokens, (list) => {
      const inner = new TokenQueue();
      const outer = new TokenQueue();
      for (const { id, bytes, take } of list) {
        inner.push(id, bytes);
        const batch = take ? inner.take() : undefined;
        if (batch !== undefined) outer.append(batch);
      }
      const rest = inner.take();
      if (rest !== undefined) outer.append(rest);
      const all = outer.take();
      expect([...(all?.tokenIds ?? [])]).toEqual(list.map(({ id }) => id));
      const spelled = [...(all?.ends ?? [])].map((end, i) => [
        ...(all?.bytes.subarray(all.ends[i - 1] ?? 0, end) ?? []),
      ]);
      expect(spelled).toEqual(list.map(({ bytes }) => [...bytes]));
      expect(outer.take()).toBeUndefined();
    }),
  );
});
