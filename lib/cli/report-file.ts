import { renameSync, writeFileSync } from 'node:fs';
import { ourTraces, withoutTraces } from '../doctor/anonymous.js';
import type { DoctorReport } from '../doctor/doctor.js';
import type { SelfTestReport } from '../doctor/self-test/report.js';
import { RkllmError } from '../errors.js';
import { doctorText } from './doctor-text.js';
import { selfTestText } from './self-test-text.js';
import { plain } from './terminal.js';

/** What `rkllm doctor` has found. */
export interface Findings extends DoctorReport {
  readonly selfTest?: SelfTestReport;
}

/**
 * Writes a report that can be shown to others: JSON into a file of that ending, else Markdown with the JSON in it. Names of
 * the user and the computer, and where their files are, are left out. What was there is replaced in one step.
 *
 * @throws RkllmError `RKLLM_INVALID_INPUT` when the file cannot be written.
 */
export function writeReport(file: string, findings: Findings, model: string | undefined): void {
  const clean = withoutTraces(findings, ourTraces(model));
  const text = /\.json$/iu.test(file) ? `${JSON.stringify(clean, null, 2)}\n` : markdown(clean);
  const unfinished = `${file}.part`;
  try {
    writeFileSync(unfinished, text);
    renameSync(unfinished, file);
  } catch (cause) {
    throw new RkllmError('RKLLM_INVALID_INPUT', `The report cannot be written to ${file}: ${String(cause)}`, {
      hint: 'Give --report the path of a file in a directory that you may write to.',
      details: { path: file },
      cause,
    });
  }
}

function markdown(findings: Findings): string {
  const { selfTest } = findings;
  return `# Report of rkllm doctor

It has facts about the board, its software and the model's file, and figures of the self-test if there was one. It has no
prompt or answer, and no name of a user, a computer or a directory of theirs. Read it before you attach it to an issue.

\`\`\`text
${doctorText(findings, plain)}${selfTest === undefined ? '' : `\n${selfTestText(selfTest, plain)}`}\`\`\`

\`\`\`json
${JSON.stringify(findings, null, 2)}
\`\`\`
`;
}
