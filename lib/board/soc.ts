import { readText, type Machine } from './machine.js';

/** Which chip a board has, as its device tree says. */
export interface Soc {
  /** Such as `'RK3588S'`; undefined: not one of Rockchip's. */
  readonly name: string | undefined;
  /** What models for it are converted for, such as `'RK3588'`; undefined: the vendor's runtime does not run on it. */
  readonly target: ModelTarget | undefined;
  /** Such as `'Orange Pi 5'`. */
  readonly board: string | undefined;
  /** What the device tree says the board is compatible with, the most specific first. */
  readonly compatible: readonly string[];
}

/** Chips whose NPU the vendor's runtime drives, as it names them itself. */
export const modelTargets = ['RK3588', 'RK3576', 'RK3562', 'RV1126B'] as const;
export type ModelTarget = (typeof modelTargets)[number];

/** The second is what the first is a link to; containers may hide the one and show the other. */
const deviceTrees = ['/proc/device-tree', '/sys/firmware/devicetree/base'];

/** Undefined: there is no device tree to be seen. */
export function readSoc(machine: Machine): Soc | undefined {
  for (const tree of deviceTrees) {
    const text = readText(machine, `${tree}/compatible`);
    if (text === undefined || text === '') continue;
    const compatible = text.split('\0').filter((entry) => entry !== '');
    const name = compatible.map(chipIn).find((chip) => chip !== undefined);
    const board = readText(machine, `${tree}/model`)?.replaceAll('\0', '');
    return { name, target: name === undefined ? undefined : targetOf(name), board, compatible };
  }
  return undefined;
}

/** The entries before that of the chip name the board: `xunlong,orangepi-5`, `rockchip,rk3588-evb1-lp4-v10`. */
function chipIn(compatible: string): string | undefined {
  return /^rockchip,(r[kv]\d{4}[a-z\d]*)$/u.exec(compatible)?.[1]?.toUpperCase();
}

/** What a chip takes models for. The RK3588S is an RK3588 with fewer pins. */
export function targetOf(chip: string): ModelTarget | undefined {
  const upper = chip.toUpperCase();
  return modelTargets.find((target) => upper === target || new RegExp(`^${target}[SMJ]\\d?$`, 'u').test(upper));
}
