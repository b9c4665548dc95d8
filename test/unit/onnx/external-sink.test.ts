import { buildPhi3 } from '../../../tools/onnx/phi3-graph.js';
import { makeRandomModel } from '../../../tools/onnx/random-model.js';

it('a model written as it comes is the same as one that is made in memory', () => {
  const { config, weights } = makeRandomModel({});
  const externalFiles = ['a.data', 'b.data'];
  const whole = buildPhi3(config, weights, { format: 'int4', externalFiles });
  const pieces = new Map<string, Uint8Array[]>(externalFiles.map((name) => [name, []]));
  const written = buildPhi3(config, weights, {
    format: 'int4',
    externalFiles,
    externalSink: (file, bytes) => pieces.get(file)?.push(Uint8Array.from(bytes)),
  });
  expect(Buffer.compare(written.model, whole.model)).toBe(0);
  for (const [name, bytes] of whole.external) {
    expect(bytes.length).toBeGreaterThan(0);
    expect(Buffer.compare(Buffer.concat(pieces.get(name) ?? []), bytes)).toBe(0);
    expect(written.external.get(name)).toHaveLength(0);
  }
});
