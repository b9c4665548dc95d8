import { readClocks, type Clock } from './clocks.js';
import { findContainer } from './container.js';
import { readDevices, type NpuDevices } from './devices.js';
import { findNpuClock, readDriver, type NpuDriver } from './driver.js';
import { readAllowedCpus, readOnlineCpus, readOpenFileLimit, type OpenFileLimit } from './limits.js';
import type { Machine } from './machine.js';
import { readMemory, type Memory } from './memory.js';
import { readSoc, type Soc } from './soc.js';

/** What a machine says of itself. Read once; it may change. */
export interface Board {
  /** As `process.arch` has it. */
  readonly arch: string;
  /** Undefined: there is no device tree to be seen. */
  readonly soc: Soc | undefined;
  readonly driver: NpuDriver | undefined;
  readonly devices: NpuDevices;
  /**
   * There is an NPU that the vendor's runtime drives, as far as can be seen: its chip, or, where a container hides the
   * device tree, the driver or the clock of one.
   */
  readonly hasNpu: boolean;
  readonly container: string | undefined;
  readonly memory: Memory | undefined;
  readonly openFiles: OpenFileLimit | undefined;
  readonly allowedCpus: readonly number[] | undefined;
  readonly onlineCpus: readonly number[] | undefined;
  readonly clocks: readonly Clock[];
}

/** Reads some thirty small files, of which each may be missing. Never throws. */
export function readBoard(machine: Machine): Board {
  const soc = readSoc(machine);
  const driver = readDriver(machine);
  const devices = readDevices(machine);
  const isHidden = soc === undefined;
  const shows = driver !== undefined || devices.rknpu !== undefined || findNpuClock(machine) !== undefined;
  return {
    arch: machine.arch,
    soc,
    driver,
    devices,
    hasNpu: soc?.target !== undefined || (isHidden && shows),
    container: findContainer(machine),
    memory: readMemory(machine),
    openFiles: readOpenFileLimit(machine),
    allowedCpus: readAllowedCpus(machine),
    onlineCpus: readOnlineCpus(machine),
    clocks: readClocks(machine),
  };
}
