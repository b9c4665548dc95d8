import { doctor } from '../doctor/doctor.js';
import type { Command } from './arguments.js';
import { doctorText } from './doctor-text.js';
import { paintFor } from './terminal.js';

/** Says what this computer lacks; resolves with the exit code. */
export async function doctorCommand({ json, options }: Extract<Command, { name: 'doctor' }>): Promise<number> {
  const report = await doctor(options);
  const text = json
    ? `${JSON.stringify(report, null, 2)}\n`
    : doctorText(report, paintFor(process.stdout, process.env));
  process.stdout.write(text);
  return report.ok ? 0 : 1;
}
