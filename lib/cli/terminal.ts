import type { WriteStream } from 'node:tty';

type Output = NodeJS.WritableStream | WriteStream;

/** Whether a person reads this stream: only then are control codes allowed on it. */
export function isTerminal(output: Output): output is WriteStream {
  return 'isTTY' in output && output.isTTY;
}

/** The codes that begin and end a style. */
const styles = { faint: [2, 22], green: [32, 39], yellow: [33, 39], red: [31, 39] } as const;
export type Style = keyof typeof styles;

/** Puts text in a style. */
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_, text) => text;

/** For a terminal; plain where there is none or the reader wants no colours. */
export function paintFor(output: Output, env: NodeJS.ProcessEnv): Paint {
  if (!isTerminal(output) || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return plain;
  return (style, text) => `\u001b[${styles[style][0]}m${text}\u001b[${styles[style][1]}m`;
}

/** Shows `text` and the seconds while `work` goes on, on a terminal only, and takes them away again. */
export async function whileShowing<T>(text: string, output: Output, work: () => Promise<T>): Promise<T> {
  if (!isTerminal(output)) return work();
  output.write(text);
  const begun = performance.now();
  const ticking = setInterval(() => {
    output.write(`\r\u001b[2K${text} ${Math.round((performance.now() - begun) / 1000)} s`);
  }, 1000);
  try {
    return await work();
  } finally {
    clearInterval(ticking);
    output.write('\r\u001b[2K');
  }
}
