import { nativeAddon, type ModelHandle, type NativeEvent } from '../../../lib/backends/rkllm/addon.js';
import { FakeModel, fakeRuntime, until } from './fake-model.js';

type AnyFunction = (...args: unknown[]) => unknown;

/** The exports without their types. */
export const addon = nativeAddon() as unknown as Record<string, AnyFunction>;

/** What a call throws: its name, since the addon's errors are of another realm than the test's. */
export function thrownBy(name: string, args: unknown[]): string | undefined {
  try {
    addon[name]?.(...args);
  } catch (error) {
    return (error as Error).name;
  }
  return undefined;
}

/** A loaded model and what it reports, below the backend. */
export async function loadNative(...script: string[]): Promise<{ model: ModelHandle; events: NativeEvent[] }> {
  const events: NativeEvent[] = [];
  const options = { runtimePath: fakeRuntime('1.1.1'), modelPath: new FakeModel(...script).path, maxContextLength: 64 };
  const model = nativeAddon().load(options, (event) => events.push(event));
  await until(() => events.length > 1);
  expect(events.map(({ type }) => type)).toEqual(['identified', 'loaded']);
  events.shift();
  return { model, events };
}

export async function disposeNative({ model, events }: Awaited<ReturnType<typeof loadNative>>): Promise<void> {
  nativeAddon().dispose(model);
  await until(() => events.at(-1)?.type === 'disposed');
}

export const oddities: unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  NaN,
  1e300,
  10n,
  '',
  'text',
  Symbol('s'),
  {},
  [],
  () => undefined,
  new Proxy({}, {}),
  new Int32Array(2),
  new ArrayBuffer(8),
  Object.create(null),
  new Date(),
];
