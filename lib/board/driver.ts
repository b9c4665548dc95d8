import { exists, readText, type Machine } from './machine.js';

/** What drives the NPU. */
export interface NpuDriver {
  /** `'rknpu'`: the vendor's, which its runtime needs. `'rocket'`: that of mainline kernels, which is another one. */
  readonly flavour: 'rknpu' | 'rocket';
  /** Such as `'0.9.8'`; undefined where it cannot be read, as without root on kernels that tell it in debugfs only. */
  readonly version: string | undefined;
  /** Where the version was read, or else what shows that the driver is there. */
  readonly source: string;
}

/** The oldest vendor driver that the runtimes 1.1.0 to 1.3.1 do not warn about. */
export const oldestDriver = '0.9.7';

/** Which of them there is depends on how the kernel was built. The second is for root only. */
const versionFiles = [
  '/sys/module/rknpu/version',
  '/sys/kernel/debug/rknpu/version',
  '/proc/rknpu/version',
  '/proc/debug/rknpu/version',
];

/** Without a version, what else shows the vendor's driver. */
const traces = ['/sys/module/rknpu', '/sys/kernel/debug/rknpu', '/proc/rknpu', '/sys/bus/platform/drivers/RKNPU'];

const rocketTraces = ['/sys/module/rocket', '/sys/bus/platform/drivers/rocket'];

/** Undefined: none is loaded. */
export function readDriver(machine: Machine): NpuDriver | undefined {
  for (const source of versionFiles) {
    const version = /\d+\.\d+\.\d+/u.exec(readText(machine, source) ?? '')?.[0];
    if (version !== undefined) return { flavour: 'rknpu', version, source };
  }
  const trace = traces.find((file) => exists(machine, file));
  if (trace !== undefined) return { flavour: 'rknpu', version: undefined, source: trace };
  const rocket = rocketTraces.find((file) => exists(machine, file));
  return rocket === undefined ? undefined : { flavour: 'rocket', version: undefined, source: rocket };
}

/** Its address in each chip: RK3588, RK3576, RK3562, RV1126B. */
const npuClocks = ['fdab0000.npu', '27700000.npu', 'ff300000.npu', '22000000.npu'];

/** Where the clock of the NPU is governed, such as `/sys/class/devfreq/fdab0000.npu`. */
export function findNpuClock(machine: Machine): string | undefined {
  return npuClocks.map((name) => `/sys/class/devfreq/${name}`).find((directory) => exists(machine, directory));
}
