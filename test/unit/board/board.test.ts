import fc from 'fast-check';
import { readBoard, type Board } from '../../../lib/board/index.js';
import { readMemory } from '../../../lib/board/memory.js';
import { thisMachine } from '../../../lib/board/machine.js';
import { targetOf } from '../../../lib/board/soc.js';
import { boards, machineOf, member, type BoardName } from '../../support/boards.js';

function read(name: BoardName): Board {
  return readBoard(machineOf(boards[name]));
}

describe('the chip', () => {
  test.each<[BoardName, string | undefined, string | undefined, string | undefined, boolean]>([
    ['rk3588', 'RK3588', 'RK3588', 'Radxa ROCK 5B', true],
    ['rk3588s', 'RK3588S', 'RK3588', 'Orange Pi 5', true],
    ['rk3576', 'RK3576', 'RK3576', 'ArmSoM Sige5', true],
    ['rk3562', 'RK3562', 'RK3562', 'Rockchip RK3562 EVB2', true],
    ['rv1126b', 'RV1126B', 'RV1126B', 'Rockchip RV1126B EVB1', true],
    ['rk3566', 'RK3566', undefined, 'Radxa ZERO 3', false],
  ])('of %s', (name, chip, target, board, hasNpu) => {
    const { soc, hasNpu: found } = read(name);
    expect({ ...soc, hasNpu: found }).toMatchObject({ name: chip, target, board, hasNpu });
  });

  test('is not known without a device tree', () => {
    expect(read('laptop')).toMatchObject({ soc: undefined, hasNpu: false });
    expect(read('an empty container')).toMatchObject({ soc: undefined, hasNpu: false, container: '/.dockerenv' });
  });

  test('is there all the same when the driver shows in a container', () => {
    expect(read('a container without device tree')).toMatchObject({ soc: undefined, hasNpu: true });
  });

  test('is read from where the link leads, too', () => {
    const tree = { '/sys/firmware/devicetree/base/compatible': 'rockchip,rk3562-evb2-ddr4-v10\0rockchip,rk3562\0' };
    expect(readBoard(machineOf({ tree })).soc).toMatchObject({ name: 'RK3562', target: 'RK3562', board: undefined });
  });

  test('of another maker has no name', () => {
    const tree = { '/proc/device-tree/compatible': 'raspberrypi,5-model-b\0brcm,bcm2712\0' };
    expect(readBoard(machineOf({ tree }))).toMatchObject({ soc: { name: undefined }, hasNpu: false });
  });

  test.each([
    ['rk3588', 'RK3588'],
    ['RK3588S', 'RK3588'],
    ['rk3588s2', 'RK3588'],
    ['RK3588M', 'RK3588'],
    ['rv1126b', 'RV1126B'],
    ['rv1126', undefined],
    ['RK3568', undefined],
    ['RK35881', undefined],
  ])('%s takes models for %s', (chip, target) => {
    expect(targetOf(chip)).toBe(target);
  });
});

describe('the driver', () => {
  test.each<[BoardName, unknown]>([
    ['rk3588', { flavour: 'rknpu', version: '0.9.8', source: '/sys/module/rknpu/version' }],
    ['driver 0.8.2', { flavour: 'rknpu', version: '0.8.2', source: '/sys/module/rknpu/version' }],
    ['debugfs only', { flavour: 'rknpu', version: '0.9.8', source: '/sys/kernel/debug/rknpu/version' }],
    ['a driver without a version', { flavour: 'rknpu', version: undefined, source: '/sys/module/rknpu' }],
    ['mainline rocket', { flavour: 'rocket', version: undefined, source: '/sys/module/rocket' }],
    ['no driver', undefined],
    ['laptop', undefined],
  ])('of %s', (name, driver) => {
    expect(read(name).driver).toEqual(driver);
  });

  test.each(['/proc/rknpu/version', '/proc/debug/rknpu/version'])('is found in %s', (file) => {
    const tree = { [file]: 'RKNPU driver: v0.9.6\n' };
    expect(readBoard(machineOf({ tree })).driver).toMatchObject({ version: '0.9.6', source: file });
  });
});

describe('device nodes', () => {
  const paths = (name: BoardName): string[] => read(name).devices.dri.map(({ path }) => path);

  test('are those of the NPU where the kernel says which they are', () => {
    expect(paths('rk3588')).toEqual(['/dev/dri/card1', '/dev/dri/renderD129']);
  });

  test('are all of them where it does not', () => {
    const tree = { '/dev/dri/card0': '', '/dev/dri/renderD128': '', '/dev/dri/by-path/x': '' };
    expect(readBoard(machineOf({ tree })).devices.dri.map(({ path }) => path)).toEqual([
      '/dev/dri/card0',
      '/dev/dri/renderD128',
    ]);
  });

  test.each([
    ['a member of the group', member, 0o660, true],
    ['somebody else', { uid: 9, gid: 9, groups: [] }, 0o660, false],
    ['anybody, where it is open', { uid: 9, gid: 9, groups: [] }, 0o666, true],
    ['somebody who may only read', { uid: 9, gid: 9, groups: [] }, 0o664, false],
    ['root', { uid: 0, gid: 0, groups: [] }, 0o000, true],
    // The first of owner, group and others that applies decides.
    ['a member of a group that may not, where others may', member, 0o606, false],
  ])('are open or not to %s', (_, identity, mode, accessible) => {
    const machine = machineOf({ tree: { '/dev/rknpu': { mode } }, machine: { identity } });
    expect(readBoard(machine).devices.rknpu).toMatchObject({ accessible, isLink: false });
  });

  test('name the group that would give access, unless it is that of root', () => {
    const node = (group: string, mode = 0o660): unknown => {
      const gid = (process.getgid?.() ?? 0).toString();
      return readBoard(machineOf({ tree: { '/etc/group': `${group}:x:${gid}:\n`, '/dev/rknpu': { mode } } })).devices
        .rknpu?.group;
    };
    expect([node('render'), node('root'), node('render', 0o600)]).toEqual(['render', undefined, undefined]);
    expect(readBoard(machineOf({ tree: { '/dev/rknpu': { mode: 0o660 } } })).devices.rknpu?.group).toMatch(/^\d+$/u);
  });

  test('are asked of the kernel for this process', () => {
    const tree = { '/dev/rknpu': { mode: 0o600 } };
    const machine = machineOf({ tree, machine: { identity: undefined } });
    expect(readBoard(machine).devices.rknpu?.accessible).toBe(true);
  });

  test('that are links are told', () => {
    expect(read('a linked node').devices.rknpu?.isLink).toBe(true);
  });

  test('that lead nowhere are none', () => {
    expect(readBoard(machineOf({ tree: { '/dev/rknpu': { link: 'nowhere' } } })).devices.rknpu).toBeUndefined();
  });
});

describe('memory', () => {
  const mebibyte = 1024 * 1024;

  test('is what is available', () => {
    expect(read('low memory').memory).toEqual({
      total: 4000 * mebibyte,
      available: 600 * mebibyte,
      freeSwap: 0,
      groupAllows: undefined,
    });
  });

  test('is what the tightest group on the way up allows, without the cache that it gives back', () => {
    expect(read('a memory limit').memory?.groupAllows).toBe(768 * mebibyte);
  });

  test('of a group of the older kind', () => {
    const tree = {
      ...boards.rk3588.tree,
      '/proc/self/cgroup': '9:cpu,memory:/docker/1\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1\n',
      '/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes': '2000\n',
      '/sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes': '500\n',
    };
    expect(readMemory(machineOf({ tree }))?.groupAllows).toBe(1500);
  });

  test('does not count files in memory, mapped ones among them, nor what can be swapped', () => {
    const tree = {
      ...boards.rk3588.tree,
      '/proc/meminfo': 'MemTotal: 4000 kB\nMemAvailable: 2000 kB\nSwapFree: 300 kB\n',
      '/proc/self/cgroup': '0::/app\n',
      '/sys/fs/cgroup/app/memory.max': '2000\n',
      '/sys/fs/cgroup/app/memory.current': '1900\n',
      '/sys/fs/cgroup/app/memory.stat': 'anon 400\ninactive_file 700\nactive_file 800\n',
    };
    expect(readMemory(machineOf({ tree }))).toMatchObject({ freeSwap: 300 * 1024, groupAllows: 1600 });
  });

  test('is unknown where the kernel does not tell', () => {
    expect(read('nothing').memory).toBeUndefined();
  });
});

describe('limits', () => {
  test('of open files', () => {
    expect(read('few open files').openFiles).toEqual({ soft: 1024, hard: 4096 });
    const tree = { '/proc/self/limits': 'Max open files            unlimited            unlimited            files\n' };
    expect(readBoard(machineOf({ tree })).openFiles?.soft).toBe(Number.MAX_SAFE_INTEGER);
    expect(read('nothing').openFiles).toBeUndefined();
  });

  test.each<[string, readonly number[] | undefined]>([
    ['0-7', [0, 1, 2, 3, 4, 5, 6, 7]],
    ['2', [2]],
    ['0-1,4,6-7', [0, 1, 4, 6, 7]],
    ['', undefined],
    ['all', undefined],
  ])('of CPUs: %p', (text, cpus) => {
    const tree = { '/proc/self/status': `Cpus_allowed_list:\t${text}\n` };
    expect(readBoard(machineOf({ tree })).allowedCpus).toEqual(cpus);
  });
});

test('clocks are read in megahertz', () => {
  expect(read('slow clocks').clocks).toMatchObject([
    { name: 'NPU', governor: 'rknpu_ondemand', now: 300, most: 1000 },
    { name: 'DDR', governor: 'performance', now: 2112, most: 2112 },
    { name: 'CPU 4', governor: 'ondemand', now: 2352, most: 2352 },
  ]);
});

test('a container is told by its control group', () => {
  const tree = { '/proc/1/cgroup': '0::/kubepods/besteffort/pod1\n' };
  expect(readBoard(machineOf({ tree })).container).toContain('kubepods');
});

describe('whatever the files say', () => {
  test('this machine can be read', () => {
    expect(readBoard(thisMachine()).memory?.total).toBeGreaterThan(0);
  });

  test('reading does not fail', () => {
    const names = Object.keys(boards['a memory limit'].tree).filter((name) => !name.startsWith('/dev'));
    const files = fc.dictionary(fc.constantFrom(...names), fc.oneof(fc.string(), fc.string({ unit: 'binary' })));
    fc.assert(
      fc.property(files, (tree) => {
        expect(readBoard(machineOf({ tree }))).toBeDefined();
      }),
      { numRuns: 100 },
    );
  });
});
