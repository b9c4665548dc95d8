import { accessSync, constants, lstatSync, statSync, type Stats } from 'node:fs';
import { list, locate, readText, type Identity, type Machine } from './machine.js';

/** A file through which the driver is reached. */
interface DeviceNode {
  /** Such as `/dev/dri/renderD129`. */
  readonly path: string;
  /** It may be read and written. */
  readonly accessible: boolean;
  /** The group that would give access, by name or else by number; undefined: its group would not, or is root's. */
  readonly group: string | undefined;
  /** It is a link to another node. */
  readonly isLink: boolean;
}

/** The nodes of the NPU. */
export interface NpuDevices {
  /** The driver's own node, of kernels that have it without DRM. */
  readonly rknpu: DeviceNode | undefined;
  /** Nodes in `/dev/dri`: those of the NPU where the kernel says which they are, else all that there are. */
  readonly dri: readonly DeviceNode[];
  /** Memory that the NPU takes from a heap, on some kernels. */
  readonly dmaHeaps: readonly DeviceNode[];
  /** Nodes of the mainline drivers. */
  readonly accel: readonly DeviceNode[];
}

export function readDevices(machine: Machine): NpuDevices {
  const groups = groupNames(machine);
  const nodesIn = (directory: string, isMeant: (name: string) => boolean = () => true): DeviceNode[] =>
    list(machine, directory)
      .filter(isMeant)
      .map((name) => readNode(machine, `${directory}/${name}`, groups))
      .filter((node) => node !== undefined);
  const dri = list(machine, '/dev/dri').filter((name) => /^(?:card|renderD)\d+$/u.test(name));
  const ofNpu = dri.filter((name) => driverOf(machine, name) === 'RKNPU');
  const meant = ofNpu.length > 0 ? ofNpu : dri;
  return {
    rknpu: readNode(machine, '/dev/rknpu', groups),
    dri: nodesIn('/dev/dri', (name) => meant.includes(name)),
    dmaHeaps: nodesIn('/dev/dma_heap'),
    accel: nodesIn('/dev/accel'),
  };
}

/** The display and the GPU have nodes there, too. */
function driverOf(machine: Machine, name: string): string | undefined {
  return /^DRIVER=(.*)$/mu.exec(readText(machine, `/sys/class/drm/${name}/device/uevent`) ?? '')?.[1];
}

function readNode(machine: Machine, path: string, groups: ReadonlyMap<number, string>): DeviceNode | undefined {
  const file = locate(machine, path);
  try {
    const stats = statSync(file);
    const group = groups.get(stats.gid) ?? stats.gid.toString();
    return {
      path,
      accessible: machine.identity === undefined ? isOpenToUs(file) : isOpenTo(machine.identity, stats),
      group: allows(stats.mode >> 3) && group !== 'root' ? group : undefined,
      isLink: lstatSync(file).isSymbolicLink(),
    };
  } catch {
    return undefined; // not there, or a link to what is not there
  }
}

function isOpenToUs(file: string): boolean {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** As the kernel decides: the first of owner, group and others that applies. */
function isOpenTo({ uid, gid, groups }: Identity, stats: Stats): boolean {
  if (uid === 0) return true;
  if (uid === stats.uid) return allows(stats.mode >> 6);
  if (gid === stats.gid || groups.includes(stats.gid)) return allows(stats.mode >> 3);
  return allows(stats.mode);
}

const readAndWrite = 6;

function allows(bits: number): boolean {
  return (bits & readAndWrite) === readAndWrite;
}

function groupNames(machine: Machine): ReadonlyMap<number, string> {
  const lines = (readText(machine, '/etc/group') ?? '').matchAll(/^([^:\n]+):[^:\n]*:(\d+):/gmu);
  return new Map([...lines].map(([, name = '', id]) => [Number(id), name]));
}
