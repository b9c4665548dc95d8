import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Identity, Machine } from '../../lib/board/machine.js';

/** What is different from {@link boards.rk3588}: text, a mode (with the text), a link, or `null` for nothing. */
type Tree = Readonly<Record<string, string | { text?: string; mode: number } | { link: string } | null>>;

export interface BoardFixture {
  readonly tree: Tree;
  readonly machine?: Partial<Machine>;
}

const trees = mkdtempSync(path.join(tmpdir(), 'rkllm-boards-'));
afterAll(() => rmSync(trees, { recursive: true, force: true }));

/** The owner and group of all files of a fixture: whoever runs the tests. */
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** Somebody who owns nothing of the machine, and is in the group that does. */
export const member: Identity = { uid: 54_321, gid: 54_321, groups: [owner.gid] };
const stranger: Identity = { uid: 54_321, gid: 54_321, groups: [54_321] };

let made = 0;

/** Writes the files of a machine into a directory that is removed at the end of the test file. */
export function machineOf({ tree, machine }: BoardFixture): Machine {
  const root = path.join(trees, (made++).toString());
  mkdirSync(root);
  for (const [name, content] of Object.entries(tree)) {
    if (content === null) continue;
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    if (typeof content === 'string') writeFileSync(file, content);
    else if ('link' in content) symlinkSync(content.link, file);
    else {
      writeFileSync(file, content.text ?? '');
      chmodSync(file, content.mode);
    }
  }
  return {
    root,
    platform: 'linux',
    arch: 'arm64',
    nodeVersion: '20.17.0',
    glibcVersion: '2.36',
    identity: member,
    ...machine,
  };
}

const limits = (soft: number, hard = soft): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft.toString().padEnd(20)} ${hard.toString().padEnd(20)} files\n`;

const meminfo = (totalMb: number, availableMb: number): string =>
  `MemTotal:       ${(totalMb * 1024).toString()} kB\nMemFree:        1024 kB\nMemAvailable:   ${(availableMb * 1024).toString()} kB\n`;

const status = (cpus: string): string => `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${cpus}\n`;

const anyLinux: Tree = {
  '/etc/group': `root:x:0:\nvideo:x:${owner.gid === 0 ? 44 : owner.gid}:\nrender:x:${owner.gid.toString()}:\n`,
  '/proc/meminfo': meminfo(16_000, 14_000),
  '/proc/self/limits': limits(1_048_576),
  '/proc/self/status': status('0-7'),
  '/proc/self/cgroup': '0::/user.slice\n',
  '/proc/1/cgroup': '0::/init.scope\n',
  '/sys/devices/system/cpu/online': '0-7\n',
};

const clock = (directory: string, now: number, most: number, governor: string): Tree => ({
  [`/sys/class/devfreq/${directory}/governor`]: `${governor}\n`,
  [`/sys/class/devfreq/${directory}/cur_freq`]: `${now}000000\n`,
  [`/sys/class/devfreq/${directory}/max_freq`]: `${most}000000\n`,
});

const rk3588: Tree = {
  ...anyLinux,
  '/proc/device-tree/compatible': 'radxa,rock-5b\0rockchip,rk3588\0',
  '/proc/device-tree/model': 'Radxa ROCK 5B\0',
  '/sys/module/rknpu/version': '0.9.8\n',
  '/dev/dri/card0': { mode: 0o660 },
  '/dev/dri/card1': { mode: 0o660 },
  '/dev/dri/renderD128': { mode: 0o660 },
  '/dev/dri/renderD129': { mode: 0o660 },
  '/sys/class/drm/card1/device/uevent': 'DRIVER=RKNPU\nOF_COMPATIBLE_0=rockchip,rk3588-rknpu\n',
  '/sys/class/drm/renderD129/device/uevent': 'DRIVER=RKNPU\n',
  '/sys/class/drm/card0/device/uevent': 'DRIVER=rockchip-drm\n',
  ...clock('fdab0000.npu', 1000, 1000, 'performance'),
  ...clock('dmc', 2112, 2112, 'performance'),
  '/sys/devices/system/cpu/cpufreq/policy4/scaling_governor': 'performance\n',
  '/sys/devices/system/cpu/cpufreq/policy4/scaling_cur_freq': '2352000\n',
  '/sys/devices/system/cpu/cpufreq/policy4/scaling_max_freq': '2352000\n',
};

const driver = (version: string): Tree => ({ ...rk3588, '/sys/module/rknpu/version': `${version}\n` });
const withoutDriver: Tree = Object.fromEntries(
  Object.entries(rk3588).filter(([name]) => !/dri\/|drm\/|rknpu|\.npu/u.test(name)),
);

/** Machines in every state that matters, by what is special about them. */
export const boards = {
  rk3588: { tree: rk3588 },
  rk3588s: {
    tree: {
      ...rk3588,
      '/proc/device-tree/compatible': 'xunlong,orangepi-5\0rockchip,rk3588s\0rockchip,rk3588\0',
      '/proc/device-tree/model': 'Orange Pi 5\0',
    },
  },
  rk3576: {
    tree: {
      ...rk3588,
      '/proc/device-tree/compatible': 'armsom,sige5\0rockchip,rk3576\0',
      '/proc/device-tree/model': 'ArmSoM Sige5\0',
    },
  },
  rk3562: {
    tree: {
      ...rk3588,
      '/proc/device-tree/compatible': 'rockchip,rk3562-evb2-ddr4-v10\0rockchip,rk3562\0',
      '/proc/device-tree/model': 'Rockchip RK3562 EVB2\0',
      '/proc/self/status': status('0-3'),
      '/sys/devices/system/cpu/online': '0-3\n',
    },
  },
  rv1126b: {
    tree: {
      ...rk3588,
      '/proc/device-tree/compatible': 'rockchip,rv1126b-evb1-v10\0rockchip,rv1126b\0',
      '/proc/device-tree/model': 'Rockchip RV1126B EVB1\0',
      '/proc/self/status': status('0-3'),
      '/sys/devices/system/cpu/online': '0-3\n',
    },
  },
  rk3566: {
    tree: {
      ...withoutDriver,
      '/proc/device-tree/compatible': 'radxa,zero3\0rockchip,rk3566\0',
      '/proc/device-tree/model': 'Radxa ZERO 3\0',
      '/proc/self/status': status('0-3'),
      '/sys/devices/system/cpu/online': '0-3\n',
    },
  },
  laptop: { tree: { ...anyLinux, '/dev/dri/card0': { mode: 0o660 } }, machine: { arch: 'x64' } },
  'driver 0.8.2': { tree: driver('0.8.2') },
  'driver 0.9.6': { tree: driver('0.9.6') },
  'driver 0.9.7': { tree: driver('0.9.7') },
  'no driver': { tree: withoutDriver },
  'mainline rocket': {
    tree: { ...withoutDriver, '/sys/module/rocket/initstate': 'live\n', '/dev/accel/accel0': { mode: 0o660 } },
  },
  'no permission': { tree: rk3588, machine: { identity: stranger } },
  'no device nodes': {
    tree: Object.fromEntries(Object.entries(rk3588).filter(([name]) => !name.startsWith('/dev'))),
  },
  'a node without DRM': {
    tree: {
      ...Object.fromEntries(Object.entries(rk3588).filter(([name]) => !/dri\/|drm\//u.test(name))),
      '/dev/rknpu': { mode: 0o660 },
      '/dev/dma_heap/system': { mode: 0o660 },
    },
  },
  'a linked node': { tree: { ...rk3588, '/dev/rknpu': { link: 'dri/renderD129' } } },
  'debugfs only': {
    tree: {
      ...rk3588,
      '/sys/module/rknpu/version': null,
      '/sys/kernel/debug/rknpu/version': 'RKNPU driver: v0.9.8\n',
    },
  },
  'a driver without a version': {
    tree: { ...rk3588, '/sys/module/rknpu/version': null, '/sys/module/rknpu/refcnt': '0\n' },
  },
  'a container without device tree': {
    tree: {
      ...rk3588,
      '/proc/device-tree/compatible': null,
      '/proc/device-tree/model': null,
      '/.dockerenv': '',
    },
  },
  'an empty container': { tree: { ...anyLinux, '/.dockerenv': '' } },
  'low memory': { tree: { ...rk3588, '/proc/meminfo': meminfo(4000, 600) } },
  'a memory limit': {
    tree: {
      ...rk3588,
      '/proc/self/cgroup': '0::/app/worker\n',
      '/sys/fs/cgroup/app/memory.max': '1073741824\n',
      '/sys/fs/cgroup/app/memory.current': '536870912\n',
      '/sys/fs/cgroup/app/memory.stat': 'anon 1\ninactive_file 268435456\n',
      '/sys/fs/cgroup/app/worker/memory.max': 'max\n',
      '/sys/fs/cgroup/app/worker/memory.current': '1\n',
    },
  },
  'few open files': { tree: { ...rk3588, '/proc/self/limits': limits(1024, 4096) } },
  'a raised limit': { tree: { ...rk3588, '/proc/self/limits': limits(1024, 1_048_576) } },
  'one CPU': { tree: { ...rk3588, '/proc/self/status': status('2') } },
  'small CPUs': { tree: { ...rk3588, '/proc/self/status': status('0-3') } },
  'slow clocks': {
    tree: {
      ...rk3588,
      ...clock('fdab0000.npu', 300, 1000, 'rknpu_ondemand'),
      '/sys/devices/system/cpu/cpufreq/policy4/scaling_governor': 'ondemand\n',
    },
  },
  nothing: { tree: {} },
} as const satisfies Record<string, BoardFixture>;

export type BoardName = keyof typeof boards;
