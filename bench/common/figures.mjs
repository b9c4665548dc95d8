/** Figures, and how they are shown. */
import os from 'node:os';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function round(value) {
  return Number(value.toPrecision(3));
}

/** The median of each field that the samples have. */
export function medianOfEach(samples) {
  const names = Object.keys(samples[0]).filter((name) => samples[0][name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, round(median(samples.map((sample) => sample[name])))]));
}

/** Medians of floods by design, each also as a ratio to the design `raw`. */
export function floodFigures(samples) {
  const medians = Object.fromEntries(Object.entries(samples).map(([design, of]) => [design, medianOfEach(of)]));
  const best = (design, name) => Math.min(...samples[design].map((sample) => sample[name]));
  for (const [design, values] of Object.entries(medians)) {
    values.wall = round(values.wallNs / medians.raw.wallNs);
    values.cpu = round(values.cpuNs / medians.raw.cpuNs);
    // What a busy machine disturbed least; the targets are judged by the medians.
    values.bestWall = round(best(design, 'wallNs') / best('raw', 'wallNs'));
    values.bestCpu = round(best(design, 'cpuNs') / best('raw', 'cpuNs'));
  }
  return medians;
}

/** By how much the ends of aborted runs came later than the token that was on its way. */
export function beyondPeriod({ latencies, periods }, periodMs) {
  const beyond = latencies.map((latency) => latency - periodMs).sort((a, b) => a - b);
  return {
    periodMs,
    measuredPeriodMs: round(median(periods)),
    beyondPeriodMs: { median: round(median(beyond)), p95: round(beyond[Math.floor(0.95 * beyond.length)]) },
  };
}

/** What was measured against what is wanted; both by name. */
export function judge(measured, targets) {
  return Object.fromEntries(
    Object.entries(targets).map(([name, target]) => [
      name,
      { measured: measured[name], target, met: measured[name] <= target },
    ]),
  );
}

export function machine() {
  return {
    cpu: os.cpus()[0]?.model,
    cores: os.cpus().length,
    arch: process.arch,
    node: process.version,
    date: new Date().toISOString(),
  };
}

export function row(name, ...cells) {
  return name.padEnd(20) + cells.map((cell) => String(cell).padStart(11)).join('');
}

export function loadTable({ before, after }) {
  return [`load average ${before[0].toFixed(1)} before, ${after[0].toFixed(1)} after`, ''];
}

export function floodTable(floods) {
  const titles = [
    'wall × raw',
    'CPU × raw',
    'best wall',
    'best CPU',
    'wall ns',
    'CPU ns',
    'RSS MB',
    'loop p99',
    'idle p99',
  ];
  return [
    row('flood', ...titles),
    ...Object.entries(floods).map(([design, values]) =>
      row(
        design,
        ...[values.wall, values.cpu, values.bestWall, values.bestCpu, values.wallNs, values.cpuNs, values.peakRssMb],
        ...[values.loopP99Ms ?? '', values.idleP99Ms ?? ''],
      ),
    ),
    '',
  ];
}

export function pacingTable(pacing) {
  return [
    row('CPU %', ...Object.keys(pacing['10'])),
    ...['10', '100', '1000'].map((rate) => row(`${rate}/s`, ...Object.values(pacing[rate]))),
    '',
  ];
}

export function targetTable(judged) {
  return [
    row('target', 'measured', 'target', 'met'),
    ...Object.entries(judged).map(([name, { measured, target, met }]) =>
      row(name, measured, target, met ? 'yes' : 'NO'),
    ),
  ];
}
