/** What users write of the doctor, as in api.ts. */
import { doctor, type Check, type DoctorOptions, type DoctorReport } from 'rkllm';
import { is } from './equal.js';

export async function examining(): Promise<unknown> {
  const options: DoctorOptions = { model: 'x.rkllm', modelBytes: 5, maxContextLength: 512, requireNpu: true };
  const report = await doctor(options);
  is<DoctorReport>()(report, true);
  is<readonly Check[]>()(report.checks, true);
  for (const check of report.checks) {
    is<'ok' | 'warn' | 'fail' | 'skip'>()(check.status, true);
    is<string | undefined>()(check.fix, true);
  }
  // @ts-expect-error -- a misspelt option
  await doctor({ modle: 'x.rkllm' });
  // @ts-expect-error -- what was found is not changed
  report.ok = true;
  return doctor();
}
