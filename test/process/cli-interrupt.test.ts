import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeGenaiModel } from '../../tools/onnx/write-genai-model.js';
import { fakeModel, rkllm, temporary } from '../support/cli.js';

/** Does something to the process when it has written the first piece of its answer. */
function onFirstOutput(action: (child: ChildProcess) => void): (child: ChildProcess) => void {
  return (child) => child.stdout?.once('data', () => action(child));
}

const interrupt = (child: ChildProcess): void => void child.kill('SIGINT');
const endless = ['token a\\x20', 'endless', 'token-us 200'];

/** A model with random weights: it never ends its answer by itself. */
function rambling(): string[] {
  return ['--model', writeGenaiModel(temporary('rambling'), { contextLength: 8192 }).directory, '--template', 'phi3'];
}

describe('Ctrl-C', () => {
  test.each([
    ['rkllm', () => fakeModel(...endless)],
    ['onnx', rambling],
  ])('keeps what was written and exits with 130 (%s)', async (backend, model) => {
    const { code, signal, stdout, stderr } = await rkllm(['run', ...model(), 'Hi'], {
      onStart: onFirstOutput(interrupt),
    });
    expect({ code, signal }).toEqual({ code: 130, signal: null });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(new RegExp(`^${backend} · .* · stopped because it was interrupted$`, 'u'));
    expect(lines.slice(0, -1).join('')).not.toBe('');
    expect(stderr).not.toMatch(/Error|\n {4}at /u);
  });

  test('while the model is loaded', async () => {
    const journal = temporary('journal');
    const args = ['run', ...fakeModel(...endless, 'init-delay-ms 300', `journal ${journal}`), 'Hi'];
    const ended = await rkllm(args, {
      onStart: (child) => {
        const watching = setInterval(() => {
          if (!existsSync(journal)) return;
          clearInterval(watching);
          interrupt(child);
        }, 5);
      },
    });
    expect(ended).toEqual({ code: 130, signal: null, stdout: '', stderr: '' });
    expect(readFileSync(journal, 'utf8')).not.toContain('run ');
  });

  test('while the question is read from standard input', async () => {
    const ended = await rkllm(['run', ...fakeModel(...endless), '-'], {
      // More than a pipe holds: when all of it has been taken, the process is reading.
      onStart: (child) => child.stdin?.write('a'.repeat(4_000_000), () => interrupt(child)),
    });
    expect(ended).toEqual({ code: 130, signal: null, stdout: '', stderr: '' });
  });

  test('a second time does not wait for a runtime that does not stop', async () => {
    const { code, signal } = await rkllm(['run', ...fakeModel(...endless, 'abort-ignored'), 'Hi'], {
      onStart: onFirstOutput((child) => {
        const again = setInterval(() => interrupt(child), 20);
        child.once('exit', () => clearInterval(again));
      }),
    });
    expect({ code, signal }).toEqual({ code: 130, signal: null });
  });
});

describe('a reader that goes away', () => {
  test.each([
    ['rkllm', () => fakeModel(...endless)],
    ['onnx', rambling],
  ])('ends the answer without an error (%s)', async (_, model) => {
    const { code, signal, stderr } = await rkllm(['run', ...model(), 'Hi'], {
      onStart: onFirstOutput((child) => child.stdout?.destroy()),
    });
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(stderr).not.toMatch(/Error|EPIPE|\n {4}at /u);
  });
});
