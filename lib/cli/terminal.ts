import type { WriteStream } from 'node:tty';

type Output = NodeJS.WritableStream | WriteStream;

/** Whether a person reads this stream: only then are control codes allowed on it. */
export function isTerminal(output: Output): output is WriteStream {
  return 'isTTY' in output && output.isTTY;
}

/** Text in the terminal's faint style; plain where there is no terminal or the reader wants no colours. */
export function faint(text: string, output: Output, env: NodeJS.ProcessEnv): string {
  const plain = !isTerminal(output) || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return plain ? text : `\u001b[2m${text}\u001b[22m`;
}

/** Shows `text` while `work` goes on, on a terminal only, and takes it away again. */
export async function whileShowing<T>(text: string, output: Output, work: () => Promise<T>): Promise<T> {
  if (!isTerminal(output)) return work();
  output.write(text);
  try {
    return await work();
  } finally {
    output.write('\r\u001b[2K');
  }
}
