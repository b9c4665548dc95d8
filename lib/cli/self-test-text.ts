import type { SelfTestReport, SelfTestStep, StepOutcome } from '../doctor/self-test/report.js';
import { wrap } from './doctor-text.js';
import type { Paint, Style } from './terminal.js';

const marks: Readonly<Record<StepOutcome, readonly [word: string, style: Style]>> = {
  running: ['????', 'yellow'],
  passed: ['  ok', 'green'],
  failed: ['FAIL', 'red'],
  'timed-out': ['TIME', 'red'],
  skipped: ['skip', 'faint'],
};

const width = 80;
const indent = ' '.repeat(6);

/** The report for people. */
export function selfTestText({ ok, leftRunning, loaded, steps }: SelfTestReport, paint: Paint): string {
  const { runtime } = loaded ?? {};
  const what =
    loaded === undefined
      ? []
      : [
          `Self-test on ${loaded.backend}${runtime === undefined ? '' : `, runtime ${runtime.version ?? runtime.generation}`}:`,
        ];
  const left = leftRunning ? ['Something did not end. It ends with this process; if the NPU stays busy, reboot.'] : [];
  return [...what, ...steps.flatMap((step) => stepLines(step, paint)), '', summaryOf(ok, steps), ...left, ''].join(
    '\n',
  );
}

function summaryOf(ok: boolean, steps: readonly SelfTestStep[]): string {
  if (steps.some(({ outcome }) => outcome === 'running')) return 'The self-test did not come to its end.';
  return ok ? 'The self-test has passed.' : 'The self-test has failed.';
}

function stepLines({ title, outcome, durationMs, reason, measured, error }: SelfTestStep, paint: Paint): string[] {
  const [word, style] = marks[outcome];
  const time = durationMs === undefined ? '' : ` (${durationMs.toFixed(0)} ms)`;
  const figures = Object.entries(measured)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
  const further = [reason, error?.message, error?.hint, figures].filter((text) => text !== undefined && text !== '');
  return [
    `${paint(style, word)}  ${title}${time}`,
    ...further.flatMap((text) => wrap(text ?? '', width - indent.length)).map((line) => indent + line),
  ];
}
