import type { Board } from '../board/index.js';
import { oldestDriver } from '../board/driver.js';
import { modelTargets } from '../board/soc.js';
import { compareReleases } from '../releases.js';
import { conclude, type Check, type Subject } from './check.js';

const chip: Subject = {
  id: 'chip',
  title: 'Chip',
  why: `A model is converted for one chip. The vendor's runtime runs on ${modelTargets.join(', ')}, and asks the device tree which it is.`,
};

const useCpu = 'Run models on the CPU: `npx rkllm run`';

/** Mounts the device tree and the nodes of the NPU. */
const containerWithNpu =
  '`docker run --device /dev/dri --security-opt systempaths=unconfined …`, or `docker run --privileged …`';

/** @param required - a computer without an NPU is a failure and not just another computer. */
export function checkChip({ arch, soc, hasNpu, driver, container }: Board, required: boolean): Check {
  if (soc?.target !== undefined) return conclude(chip, 'ok', describe(soc));
  const without = required ? 'fail' : 'skip';
  const inContainer = container === undefined ? '' : `, in a container (${container})`;
  if (hasNpu) {
    const found = `the device tree is not visible${inContainer}, though there is an NPU (${driver?.source ?? 'its clock or its node'})`;
    return conclude(
      chip,
      'fail',
      found,
      container === undefined ? 'Boot with the device tree, not with ACPI.' : containerWithNpu,
    );
  }
  if (soc === undefined) {
    // A container on such a computer may hide a board.
    const fix =
      container === undefined || arch !== 'arm64'
        ? useCpu
        : `On a board: ${containerWithNpu}. Elsewhere: \`npx rkllm run\``;
    return conclude(chip, without, `no Rockchip chip: this computer has no device tree${inContainer}`, fix);
  }
  if (soc.name === undefined) return conclude(chip, without, `not a Rockchip chip: ${describe(soc)}`, useCpu);
  return conclude(chip, without, `${describe(soc)}, whose NPU the vendor's runtime does not run on`, useCpu);
}

function describe({ name, board, compatible }: NonNullable<Board['soc']>): string {
  const parts = [name, board ?? compatible[0]].filter((part) => part !== undefined);
  return parts.length === 2 ? `${parts[0] ?? ''} (${parts[1] ?? ''})` : (parts[0] ?? 'an empty device tree');
}

const driverCheck: Subject = {
  id: 'driver',
  title: 'NPU driver',
  why: "The vendor's runtime works with the vendor's driver rknpu only. It warns below 0.9.7, and some calculations fail there.",
};

/** Newer than the one below which the runtime itself warns. */
const documentedDriver = '0.9.8';

const newKernel =
  "Install the newest image or kernel package of the board's maker, such as with `sudo apt-get update && sudo apt-get full-upgrade`, and reboot.";

export function checkDriver({ hasNpu, driver }: Board): Check {
  if (!hasNpu) return conclude(driverCheck, 'skip', 'there is no NPU for it');
  if (driver === undefined) {
    const fix = `\`sudo modprobe rknpu\`; if there is no such module, take a kernel that has it. ${newKernel}`;
    return conclude(driverCheck, 'fail', 'none is loaded', fix);
  }
  const { flavour, version, source } = driver;
  if (flavour === 'rocket') {
    const fix =
      "Boot the kernel of the board's maker (5.10 or 6.1, with rknpu), or build rknpu as a module for this one.";
    return conclude(driverCheck, 'fail', `rocket, that of mainline kernels (${source})`, fix);
  }
  if (version === undefined) {
    const found = `rknpu (${source}), of a version that this user cannot read`;
    return conclude(driverCheck, 'skip', found, '`sudo cat /sys/kernel/debug/rknpu/version`');
  }
  if (compareReleases(version, oldestDriver) < 0)
    return conclude(driverCheck, 'warn', `rknpu ${version}, too old`, newKernel);
  const note = compareReleases(version, documentedDriver) < 0 ? `; the documentation asks for ${documentedDriver}` : '';
  return conclude(driverCheck, 'ok', `rknpu ${version}${note}`);
}

const devicesCheck: Subject = {
  id: 'devices',
  title: 'Device nodes',
  why: 'The NPU is reached through /dev/dri/* or, on some kernels, /dev/rknpu, which this user must be able to read and write.',
};

export function checkDevices({ hasNpu, driver, devices, container }: Board): Check {
  if (!hasNpu || driver?.flavour !== 'rknpu') return conclude(devicesCheck, 'skip', 'there is no driver behind them');
  const { rknpu, dri, dmaHeaps } = devices;
  if (rknpu?.isLink === true) {
    const found = '/dev/rknpu is a link: the runtime takes it for the node of an older kernel';
    return conclude(devicesCheck, 'warn', found, '`sudo rm /dev/rknpu`');
  }
  const nodes = rknpu === undefined ? dri : [rknpu];
  const [first] = nodes;
  if (first === undefined) {
    const found = 'neither /dev/dri/card* or renderD* nor /dev/rknpu';
    return conclude(devicesCheck, 'fail', found, container === undefined ? '`sudo modprobe rknpu`' : containerWithNpu);
  }
  const open = nodes.filter(({ accessible }) => accessible);
  if (open.length === 0) {
    const found = `no permission for ${nodes.map(({ path }) => path).join(' and ')}`;
    return conclude(devicesCheck, 'fail', found, howToGetAccess(nodes, container !== undefined));
  }
  const found = open.map(({ path }) => path).join(', ');
  if (rknpu !== undefined && dmaHeaps.length > 0 && !dmaHeaps.some(({ accessible }) => accessible)) {
    const fix = howToGetAccess(dmaHeaps, container !== undefined);
    return conclude(devicesCheck, 'warn', `${found}, but no permission for /dev/dma_heap`, fix);
  }
  return conclude(devicesCheck, 'ok', found);
}

function howToGetAccess(nodes: Board['devices']['dri'], inContainer: boolean): string {
  const groups = [...new Set(nodes.map(({ group }) => group).filter((group) => group !== undefined))];
  if (groups.length === 0) return `\`sudo chmod a+rw ${nodes.map(({ path }) => path).join(' ')}\``;
  if (inContainer) return `\`docker run ${groups.map((group) => `--group-add ${group}`).join(' ')} …\``;
  return `\`sudo usermod -aG ${groups.join(',')} "$USER"\`, then log out and in again`;
}
