import type { Board } from '../board/index.js';
import type { Clock } from '../board/clocks.js';
import { conclude, inBytes, type Check, type Subject } from './check.js';

const noNpu = 'there is no NPU that needs it';

const memoryCheck: Subject = {
  id: 'memory',
  title: 'Memory',
  why: 'The NPU has no memory of its own. Where it is not enough, loading fails, or the runtime crashes.',
};

/** What a model needs, in bytes, and how that was estimated. */
export interface MemoryNeed {
  readonly bytes: number;
  readonly basis: string;
}

export function checkMemory({ hasNpu, memory }: Board, need: MemoryNeed | undefined): Check {
  if (!hasNpu) return conclude(memoryCheck, 'skip', noNpu);
  if (memory === undefined) return conclude(memoryCheck, 'skip', '/proc/meminfo does not tell');
  const { total, available, groupAllows = Infinity } = memory;
  const isLimited = groupAllows < available;
  const room = isLimited
    ? `${inBytes(groupAllows)} allowed by the control group`
    : `${inBytes(available)} of ${inBytes(total)} available`;
  if (need === undefined) return conclude(memoryCheck, 'ok', room);
  const found = `${room}; the model needs about ${inBytes(need.bytes)} (${need.basis})`;
  if (need.bytes <= Math.min(available, groupAllows)) return conclude(memoryCheck, 'ok', found);
  const fix = isLimited
    ? 'Raise the limit: `docker run --memory …`, or MemoryMax= of the service.'
    : 'Stop what else needs memory (`ps aux --sort=-rss | head` shows it), load with a smaller maxContextLength, or take a smaller model.';
  return conclude(memoryCheck, 'warn', found, fix);
}

const openFilesCheck: Subject = {
  id: 'open-files',
  title: 'Open files',
  why: 'With a low limit the runtime has failed with "Too many open files"; the vendor\'s examples raise it.',
};

/** What the vendor's own examples raise it to. */
const enoughFiles = 102_400;

export function checkOpenFiles({ hasNpu, openFiles }: Board): Check {
  if (!hasNpu) return conclude(openFilesCheck, 'skip', noNpu);
  if (openFiles === undefined) return conclude(openFilesCheck, 'skip', '/proc/self/limits does not tell');
  const { soft, hard } = openFiles;
  if (soft >= enoughFiles) return conclude(openFilesCheck, 'ok', `${soft} allowed`);
  const found = `${soft} allowed; the vendor's examples have ${enoughFiles}`;
  const fix =
    hard >= enoughFiles
      ? `\`ulimit -n ${enoughFiles}\`, in the shell that starts the program`
      : `\`sudo prlimit --nofile=${enoughFiles} --pid $$\`, in the shell that starts the program, or LimitNOFILE=${enoughFiles} of its service`;
  return conclude(openFilesCheck, 'warn', found, fix);
}

const cpusCheck: Subject = {
  id: 'cpus',
  title: 'CPUs',
  why: 'The runtime computes on the last four CPUs (the large ones of an RK3588 or RK3576) besides the NPU. With fewer it is slow.',
};

/** As many as the runtime takes by itself. */
const cpusOfRuntime = 4;

/** @param asked - the CPUs that the runtime will be told to compute on; undefined: its own choice. */
export function checkCpus({ hasNpu, allowedCpus, onlineCpus }: Board, asked?: readonly number[]): Check {
  if (!hasNpu) return conclude(cpusCheck, 'skip', noNpu);
  if (allowedCpus === undefined) return conclude(cpusCheck, 'skip', '/proc/self/status does not tell');
  const online = onlineCpus ?? allowedCpus;
  const wanted = asked ?? online.slice(-cpusOfRuntime);
  const missing = wanted.filter((cpu) => !allowedCpus.includes(cpu));
  const found = `${allowedCpus.length} of ${Math.max(online.length, allowedCpus.length)} allowed`;
  if (missing.length === 0) return conclude(cpusCheck, 'ok', found);
  const fix = `\`taskset -c ${wanted.join(',')} node …\`, \`docker run --cpuset-cpus …\`, or CPUAffinity= of the service`;
  return conclude(cpusCheck, 'warn', `${found}, not CPU ${missing.join(', ')}`, fix);
}

const clocksCheck: Subject = {
  id: 'clocks',
  title: 'Clocks',
  why: 'A note: figures of speed can be compared only with fixed clocks. Nothing depends on it otherwise.',
};

export function checkClocks({ hasNpu, clocks }: Board): Check {
  if (!hasNpu) return conclude(clocksCheck, 'skip', noNpu);
  if (clocks.length === 0) return conclude(clocksCheck, 'skip', 'the kernel does not show them');
  const found = clocks.map(describe).join(', ');
  const free = clocks.filter(({ governor }) => governor !== 'performance');
  if (free.length === 0) return conclude(clocksCheck, 'ok', found);
  const files = free.map(({ governorFile }) => governorFile).join(' ');
  return conclude(clocksCheck, 'ok', found, `To measure: \`echo performance | sudo tee ${files}\``);
}

function describe({ name, governor, now, most }: Clock): string {
  const speed = now === undefined ? '' : ` ${now}${most === undefined || most === now ? '' : ` of ${most}`} MHz`;
  return `${name}${speed} (${governor})`;
}
