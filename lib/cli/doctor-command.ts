import { doctor } from '../doctor/doctor.js';
import { selfTest } from '../doctor/self-test/self-test.js';
import type { SelfTestReport } from '../doctor/self-test/report.js';
import type { Command } from './arguments.js';
import { doctorText } from './doctor-text.js';
import { writeReport, type Findings } from './report-file.js';
import { selfTestText } from './self-test-text.js';
import { paintFor } from './terminal.js';

type DoctorCommand = Extract<Command, { name: 'doctor' }>;

/** Says what this computer lacks; resolves with the exit code. */
export async function doctorCommand(command: DoctorCommand): Promise<number> {
  const { json, options, report: file } = command;
  const model = options.model ?? nonEmpty(process.env['RKLLM_MODEL']);
  // A reader that goes away (`| head -1`) has what it wanted; the self-test goes on to its end.
  process.stdout.on('error', () => undefined);
  const report = await doctor(options);
  const save = (findings: Findings): void => {
    if (file !== undefined) writeReport(file, findings, model);
  };
  save(report);
  const paint = paintFor(process.stdout, process.env);
  if (!json) process.stdout.write(doctorText(report, paint));
  const tested = command.selfTest ? await test(command, model, (selfTest) => save({ ...report, selfTest })) : undefined;
  const findings: Findings = tested === undefined ? report : { ...report, selfTest: tested };
  if (json) await print(`${JSON.stringify(findings, null, 2)}\n`);
  else if (tested !== undefined) await print(`\n${selfTestText(tested, paint)}`);
  const exitCode = report.ok && tested?.ok !== false ? 0 : 1;
  // What hangs in the runtime would keep this process.
  if (tested?.leftRunning === true) process.exit(exitCode);
  return exitCode;
}

/** Each step is saved before it begins: what ends this process, or the computer, is told by the file then. */
function test(
  { options: { runtimePath, maxContextLength }, stepTimeout }: DoctorCommand,
  model: string | undefined,
  save: (report: SelfTestReport) => void,
): Promise<SelfTestReport> {
  const onProgress = (report: SelfTestReport): void => {
    save(report);
    const running = report.steps.find(({ outcome }) => outcome === 'running');
    if (running !== undefined) process.stderr.write(`self-test: ${running.title} …\n`);
  };
  const deadlineMs = stepTimeout === undefined ? undefined : stepTimeout * 1000;
  return selfTest({ model, runtimePath, maxContextLength, deadlineMs, onProgress });
}

function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
