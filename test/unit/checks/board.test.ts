import { readBoard } from '../../../lib/board/index.js';
import type { Check, CheckStatus } from '../../../lib/checks/check.js';
import { checkChip, checkDevices, checkDriver } from '../../../lib/checks/npu.js';
import { checkClocks, checkCpus, checkMemory, checkOpenFiles } from '../../../lib/checks/resources.js';
import { boards, machineOf, type BoardFixture, type BoardName } from '../../support/boards.js';

/** As Phi-3-mini in w8a8 with its full context. */
const need = { bytes: 5.1 * 1024 ** 3, basis: 'its file' };

function look(fixture: BoardFixture, required = false): Record<string, Check> {
  const board = readBoard(machineOf(fixture));
  const checks = [
    checkChip(board, required),
    checkDriver(board),
    checkDevices(board),
    checkMemory(board, need),
    checkOpenFiles(board),
    checkCpus(board),
    checkClocks(board),
  ];
  return Object.fromEntries(checks.map((check) => [check.id, check]));
}

const letters: Readonly<Record<CheckStatus, string>> = { ok: '.', warn: 'w', fail: 'F', skip: '-' };

/** In the order of {@link look}: chip, driver, devices, memory, open files, CPUs, clocks. */
const verdicts: Readonly<Record<BoardName, string>> = {
  rk3588: '.......',
  rk3588s: '.......',
  rk3576: '.......',
  rk3562: '.......',
  rv1126b: '.......',
  rk3566: '-------',
  laptop: '-------',
  'an empty container': '-------',
  nothing: '-------',
  'driver 0.8.2': '.w.....',
  'driver 0.9.6': '.w.....',
  'driver 0.9.7': '.......',
  'no driver': '.F-....',
  'mainline rocket': '.F-....',
  'debugfs only': '.......',
  'a driver without a version': '.-.....',
  'no permission': '..F....',
  'no device nodes': '..F....',
  'a node without DRM': '.......',
  'a linked node': '..w....',
  'a container without device tree': 'F......',
  'low memory': '...w...',
  'a memory limit': '...w...',
  'few open files': '....w..',
  'a raised limit': '....w..',
  'one CPU': '.....w.',
  'small CPUs': '.....w.',
  'slow clocks': '.......',
};

test.each(Object.entries(verdicts) as [BoardName, string][])('%s is judged %s', (name, statuses) => {
  const checks = Object.values(look(boards[name]));
  expect(checks.map(({ status }) => letters[status]).join('')).toBe(statuses);
  expect(checks.filter(({ found, why }) => found === '' || !why.endsWith('.'))).toEqual([]);
  const troubles = checks.filter(({ status }) => status === 'warn' || status === 'fail');
  expect(troubles.filter(({ fix }) => fix === undefined)).toEqual([]); // there is always a next step
});

test.each<[BoardName, keyof ReturnType<typeof look>, RegExp, RegExp]>([
  ['driver 0.9.6', 'driver', /^rknpu 0\.9\.6, too old$/u, /full-upgrade/u],
  ['driver 0.9.7', 'driver', /documentation asks for 0\.9\.8/u, /^none$/u],
  ['mainline rocket', 'driver', /^rocket, that of mainline kernels \(\/sys\/module\/rocket\)$/u, /5\.10 or 6\.1/u],
  ['no driver', 'driver', /^none is loaded$/u, /^`sudo modprobe rknpu`/u],
  ['a driver without a version', 'driver', /cannot read/u, /^`sudo cat \/sys\/kernel\/debug\/rknpu\/version`$/u],
  ['no permission', 'devices', /card1 and \/dev\/dri\/renderD129$/u, /^`sudo usermod -aG render "\$USER"`/u],
  ['a linked node', 'devices', /link/u, /^`sudo rm \/dev\/rknpu`$/u],
  ['a container without device tree', 'chip', /in a container \(\/\.dockerenv\)/u, /systempaths=unconfined/u],
  ['an empty container', 'chip', /no device tree, in a container/u, /`npx rkllm run`$/u],
  ['laptop', 'chip', /no Rockchip chip/u, /^Run models on the CPU: `npx rkllm run`$/u],
  ['rk3566', 'chip', /^RK3566 \(Radxa ZERO 3\), whose NPU/u, /CPU/u],
  ['rk3588s', 'chip', /^RK3588S \(Orange Pi 5\)$/u, /^none$/u],
  ['low memory', 'memory', /^600 MiB of 3\.9 GiB available; the model needs about 5\.1 GiB \(its file\)$/u, /ps aux/u],
  ['a memory limit', 'memory', /^768 MiB allowed by the control group/u, /docker run --memory/u],
  ['few open files', 'open-files', /^1024 allowed/u, /^`sudo prlimit --nofile=102400/u],
  ['a raised limit', 'open-files', /^1024 allowed/u, /^`ulimit -n 102400/u],
  ['one CPU', 'cpus', /^1 of 8 allowed, not CPU 4, 5, 6, 7$/u, /^`taskset -c 4,5,6,7 node …`/u],
  ['small CPUs', 'cpus', /^4 of 8 allowed, not CPU 4, 5, 6, 7$/u, /^`taskset/u],
  [
    'slow clocks',
    'clocks',
    /NPU 300 of 1000 MHz \(rknpu_ondemand\)/u,
    /tee \/sys\/class\/devfreq\/fdab0000\.npu\/governor/u,
  ],
])('%s: %s says what was found and what to do', (name, id, found, fix) => {
  expect(look(boards[name])[id]?.found).toMatch(found);
  expect(look(boards[name])[id]?.fix ?? 'none').toMatch(fix);
});

test.each<[BoardName, CheckStatus]>([
  ['rk3588', 'ok'],
  ['rk3566', 'fail'],
  ['laptop', 'fail'],
  ['an empty container', 'fail'],
])('where an NPU is required, %s is judged %s', (name, status) => {
  expect(look(boards[name], true)['chip']?.status).toBe(status);
});

test('CPUs that were asked for are compared, in the place of the last four', () => {
  const small = readBoard(machineOf(boards['small CPUs']));
  expect(checkCpus(small, [0, 1, 2, 3]).status).toBe('ok');
  expect(checkCpus(small, [3, 4])).toMatchObject({ status: 'warn', found: '4 of 8 allowed, not CPU 4' });
});

test('in a container access is given from outside', () => {
  const fixture = boards['no permission'];
  const inside = look({ ...fixture, tree: { ...fixture.tree, '/.dockerenv': '' } });
  expect(inside['devices']?.fix).toBe('`docker run --group-add render …`');
  const nodes = { ...boards['no device nodes'].tree, '/.dockerenv': '' };
  expect(look({ tree: nodes })['devices']?.fix).toContain('--device /dev/dri');
});

test('nodes that no group may use have to be opened', () => {
  const fixture = boards['a node without DRM'];
  const tree = { ...fixture.tree, '/dev/rknpu': { mode: 0o600 } };
  expect(look({ tree })['devices']).toMatchObject({ status: 'fail', fix: '`sudo chmod a+rw /dev/rknpu`' });
  const closedHeap = { ...fixture.tree, '/dev/dma_heap/system': { mode: 0o600 } };
  expect(look({ tree: closedHeap })['devices']).toMatchObject({
    status: 'warn',
    fix: '`sudo chmod a+rw /dev/dma_heap/system`',
  });
});

test('memory without a model is shown and not judged', () => {
  const board = readBoard(machineOf(boards['low memory']));
  expect(checkMemory(board, undefined)).toMatchObject({ status: 'ok', found: '600 MiB of 3.9 GiB available' });
});
