import { findNpuClock } from './driver.js';
import { list, readNumber, readText, type Machine } from './machine.js';

/** How fast a part of the chip may run, and what decides it. */
export interface Clock {
  /** `'NPU'`, `'DDR'`, or `'CPU 4'`, the first of those that have it in common. */
  readonly name: string;
  /** Such as `performance`, which is always the fastest. */
  readonly governor: string;
  /** File that sets the governor. */
  readonly governorFile: string;
  /** Megahertz. */
  readonly now: number | undefined;
  readonly most: number | undefined;
}

/** Those that decide how fast a model answers. */
export function readClocks(machine: Machine): readonly Clock[] {
  const npu = findNpuClock(machine);
  const cpus = list(machine, '/sys/devices/system/cpu/cpufreq').filter((name) => /^policy\d+$/u.test(name));
  return [
    ...(npu === undefined ? [] : [readDevice(machine, 'NPU', npu)]),
    readDevice(machine, 'DDR', '/sys/class/devfreq/dmc'),
    ...cpus.map((name) => readCpu(machine, name)),
  ].filter((clock) => clock !== undefined);
}

/** In hertz. */
function readDevice(machine: Machine, name: string, directory: string): Clock | undefined {
  return readClock(machine, name, directory, { governor: 'governor', now: 'cur_freq', most: 'max_freq' }, 1e6);
}

/** In kilohertz. */
function readCpu(machine: Machine, policy: string): Clock | undefined {
  const files = { governor: 'scaling_governor', now: 'scaling_cur_freq', most: 'scaling_max_freq' };
  const name = policy.replace('policy', 'CPU ');
  return readClock(machine, name, `/sys/devices/system/cpu/cpufreq/${policy}`, files, 1e3);
}

function readClock(
  machine: Machine,
  name: string,
  directory: string,
  files: { readonly governor: string; readonly now: string; readonly most: string },
  unitsPerMegahertz: number,
): Clock | undefined {
  const governorFile = `${directory}/${files.governor}`;
  const governor = readText(machine, governorFile);
  if (governor === undefined) return undefined;
  const megahertz = (file: string): number | undefined => {
    const value = readNumber(machine, `${directory}/${file}`);
    return value === undefined ? undefined : Math.round(value / unitsPerMegahertz);
  };
  return { name, governor, governorFile, now: megahertz(files.now), most: megahertz(files.most) };
}
