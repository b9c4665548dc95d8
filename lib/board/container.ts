import { exists, readText, type Machine } from './machine.js';

/** What shows that the process runs in a container, such as `/.dockerenv`; undefined: nothing does. */
export function findContainer(machine: Machine): string | undefined {
  const file = ['/.dockerenv', '/run/.containerenv', '/run/systemd/container'].find((name) => exists(machine, name));
  if (file !== undefined) return file;
  const group = /docker|containerd|kubepods|libpod|lxc/u.exec(readText(machine, '/proc/1/cgroup') ?? '')?.[0];
  return group === undefined ? undefined : `the control group of process 1 (${group})`;
}
