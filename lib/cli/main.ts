#!/usr/bin/env node
import { isRkllmError } from '../errors.js';
import { packageVersion } from '../package-version.js';
import { parseCommandLine, UsageError } from './arguments.js';
import { doctorCommand } from './doctor-command.js';
import { runCommand } from './run-command.js';
import { doctorUsage, usage } from './usage.js';

async function main(argv: readonly string[]): Promise<number> {
  const command = parseCommandLine(argv);
  switch (command.name) {
    case 'help':
      process.stdout.write(command.of === 'doctor' ? doctorUsage : usage);
      return 0;
    case 'version':
      process.stdout.write(`${packageVersion()}\n`);
      return 0;
    case 'run':
      return runCommand(command);
    case 'doctor':
      return doctorCommand(command);
  }
}

function report(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`rkllm: ${error.message}\nRun 'rkllm --help' for the options.\n`);
    return 2;
  }
  if (isRkllmError(error)) {
    process.stderr.write(`rkllm: ${error.message}\n${error.hint}\n(${error.code})\n`);
    return 1;
  }
  throw error;
}

void main(process.argv.slice(2))
  .catch(report)
  .then((exitCode) => {
    process.exitCode = exitCode;
  });
