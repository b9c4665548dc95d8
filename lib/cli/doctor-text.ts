import type { Check, CheckStatus } from '../checks/check.js';
import type { DoctorReport } from '../doctor/doctor.js';
import type { Paint, Style } from './terminal.js';

/** Of an ordinary terminal. */
const width = 80;

/** Told by the word; the colour is for those who see one. */
const marks: Readonly<Record<CheckStatus, readonly [word: string, style: Style]>> = {
  ok: ['  ok', 'green'],
  warn: ['warn', 'yellow'],
  fail: ['FAIL', 'red'],
  skip: ['skip', 'faint'],
};

/** The report for people, in lines of at most 80 columns where words allow it. */
export function doctorText(report: DoctorReport, paint: Paint): string {
  const titles = Math.max(...report.checks.map(({ title }) => title.length));
  const lines = report.checks.flatMap((check) => checkLines(check, titles, paint));
  return [...lines, '', ...wrap(report.summary, width), ''].join('\n');
}

function checkLines({ title, status, found, why, fix }: Check, titles: number, paint: Paint): string[] {
  const [word, style] = marks[status];
  const indent = ' '.repeat(word.length + titles + 4);
  const room = width - indent.length;
  const [first = '', ...rest] = wrap(found, room);
  const further = [
    ...rest,
    ...(status === 'warn' || status === 'fail' ? wrap(`why: ${why}`, room).map((line) => paint('faint', line)) : []),
    ...(fix === undefined ? [] : wrap(`fix: ${fix}`, room)),
  ];
  return [`${paint(style, word)}  ${title.padEnd(titles)}  ${first}`, ...further.map((line) => indent + line)];
}

/** Breaks between words. A command between backticks is one word, and one that is too long stays whole: it is to be copied. */
export function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of text.match(/[^\s`]*`[^`]*`[^\s`]*|\S+/gu) ?? []) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
