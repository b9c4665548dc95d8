import { ourTraces, withoutTraces, type Traces } from '../../../lib/doctor/anonymous.js';

const traces: Traces = {
  user: 'pi',
  host: 'kitchen.local',
  directories: [
    ['/home/pi', '~'],
    ['/home/pi/models', '<directory of the model>'],
    ['/', '<root>'],
  ],
};

test.each([
  ['There is no model at /home/pi/models/phi-3.rkllm.', 'There is no model at <directory of the model>/phi-3.rkllm.'],
  ['/home/pi/librkllmrt.so', '~/librkllmrt.so'],
  ['/home/pi/models/acme/secret/librkllmrt.so', '<directory of the model>/…/librkllmrt.so'],
  ['/home/pi', '~'],
  ['/home/pixel/a', '<directory>/a'],
  ["open '/media/jane/disk/phi-3.rkllm': (/srv/acme/x.so)", "open '<directory>/phi-3.rkllm': (<directory>/x.so)"],
  ['the disk of pi', 'the disk of <user>'],
  ['/dev/dri/card0, /proc/device-tree/model, /lib', '/dev/dri/card0, /proc/device-tree/model, /lib'],
  ['https://github.com/airockchip/rknn-llm and/or 3/4', 'https://github.com/airockchip/rknn-llm and/or 3/4'],
  ['a pipe of rk3588-pi-one', 'a pipe of rk3588-pi-one'],
  ['seen on kitchen.local, not on kitchenXlocal', 'seen on <host>, not on kitchenXlocal'],
  ['/usr/lib', '/usr/lib'],
])('%s becomes %s', (text, expected) => {
  expect(withoutTraces({ deep: [text] }, traces)).toEqual({ deep: [expected] });
});

test('what is no text stays as it is', () => {
  const value = { ok: true, steps: [{ ms: 1.5, measured: {} }], none: null };
  expect(withoutTraces(value, traces)).toEqual(value);
});

test('names that are not known change nothing', () => {
  expect(withoutTraces('a pi', { user: '', host: '', directories: [] })).toBe('a pi');
});

test('ours are those of this process', () => {
  const { host, directories } = ourTraces('/models/phi-3.rkllm');
  expect(host).not.toBe('');
  expect(directories).toContainEqual(['/models', '<directory of the model>']);
  expect(directories).toContainEqual([process.cwd(), '<current directory>']);
  expect(ourTraces(undefined).directories).toHaveLength(2);
});
