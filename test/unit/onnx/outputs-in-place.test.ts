import path from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { OrtModule } from '../../../lib/backends/onnx/ort.js';
import { OutputsInPlace } from '../../../lib/backends/onnx/outputs-in-place.js';
import { writeGenaiModel } from '../../../tools/onnx/write-genai-model.js';
import { Fixtures } from './helpers.js';
import { runNode } from './run-node.js';

/** Fills its fields one after the other, as the tensors of ONNX Runtime do. */
class FakeTensor {
  static complete: string[] = [];
  declare readonly dims: readonly number[];

  constructor(
    readonly name: string,
    dims: readonly number[] = [1],
  ) {
    Object.assign(this, { dims });
    FakeTensor.complete.push(name);
  }
}

const ort = { Tensor: FakeTensor } as unknown as OrtModule;
const tensor = (name: string): Tensor => new FakeTensor(name) as unknown as Tensor;

/** Makes a tensor of each output when all is done. */
function session(outputNames: readonly string[], make = tensor): InferenceSession {
  const run = async (_: unknown, fetches: object): Promise<Record<string, Tensor>> => {
    await Promise.resolve();
    return Object.fromEntries(outputNames.filter((name) => name in fetches).map((name) => [name, make(name)]));
  };
  return { outputNames, run } as unknown as InferenceSession;
}

describe('a run copies no more outputs than it has to', () => {
  const cache = { key: tensor('key'), value: tensor('value') };

  beforeEach(() => {
    FakeTensor.complete = [];
  });

  it.each([
    [['logits', 'key', 'value'], []],
    [['key', 'logits', 'value'], []],
  ])('none that has a place: %j', async (outputs, complete) => {
    const logits = tensor('logits');
    FakeTensor.complete = [];
    const inPlace = new OutputsInPlace(ort, session(outputs));
    expect(await inPlace.run({}, { ...cache, logits }, 'logits')).toBe(logits);
    expect(FakeTensor.complete).toEqual(complete);
  });

  it.each([
    [['logits', 'key', 'value'], ['logits']],
    [
      ['key', 'logits', 'value'],
      ['key', 'logits'],
    ],
    [
      ['key', 'value', 'logits'],
      ['key', 'value', 'logits'],
    ],
    [['other', 'logits', 'key', 'value'], ['logits']],
  ])('none behind the one that has none: %j', async (outputs, complete) => {
    const inPlace = new OutputsInPlace(ort, session(outputs));
    expect(await inPlace.run({}, { ...cache, logits: null }, 'logits')).toMatchObject({ name: 'logits', dims: [1] });
    expect(FakeTensor.complete).toEqual(complete);
  });

  it('all where ONNX Runtime makes them in another way', async () => {
    const made = tensor('made');
    const inPlace = new OutputsInPlace(
      ort,
      session(['logits', 'key'], () => made),
    );
    expect(await inPlace.run({}, { ...cache, logits: null }, 'logits')).toBe(made);
  });

  it('and a failure is a failure', async () => {
    const failing = { outputNames: ['logits'], run: () => Promise.reject(new Error('no such operator')) };
    const inPlace = new OutputsInPlace(ort, failing as unknown as InferenceSession);
    await expect(inPlace.run({}, { logits: null }, 'logits')).rejects.toThrow('no such operator');
    expect(tensor('another')).toMatchObject({ name: 'another', dims: [1] });
  });
});

it('holds for the ONNX Runtime that is installed', async () => {
  const fixtures = new Fixtures();
  const { directory } = writeGenaiModel(fixtures.directory(), { attention: 'gqa', contextLength: 512 });
  const modules = path.resolve('dist/backends/onnx');
  const { stdout } = await runNode(`
    const { Decoder } = require(${JSON.stringify(`${modules}/decoder.js`)});
    const { readLayout } = require(${JSON.stringify(`${modules}/layout.js`)});
    const { BusyGuard, createGuardCells } = require(${JSON.stringify(`${modules}/busy-guard.js`)});
    const { Tensor } = require('onnxruntime-node');
    const layout = await readLayout(${JSON.stringify(directory)});
    const decoder = await Decoder.open(layout, 512, 1, new BusyGuard(createGuardCells()));
    const { set } = Object.getOwnPropertyDescriptor(Tensor.prototype, 'dims');
    let made = 0;
    Object.defineProperty(Tensor.prototype, 'dims', { set(dims) { made++; set.call(this, dims); } });
    decoder.rewindTo(Int32Array.of(300, 301), 100);
    await decoder.compute(Int32Array.of(300, 301));
    made = 0;
    await decoder.compute(Int32Array.of(302));
    console.log(made);
  `);
  await fixtures.cleanUp();
  // Of ids and mask, and the first output, which is refused; the graph has five.
  expect(stdout.trim()).toBe('3');
});
