import { stripVTControlCharacters } from 'node:util';

/** How bad a line is: as the runtime marks it (`I`, `W`, `E`), else by its words. */
type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Who printed a line: `rkllm` the runtime, `rknn` its part that talks to the NPU's driver, `ggml` its part that reads and
 * computes models, `system` the C library, the loader or the C++ runtime, `other` anything else in the process.
 */
type LogComponent = 'rkllm' | 'rknn' | 'ggml' | 'system' | 'other';

/** Where a line was printed. The runtime prints on stdout; assertions and the C library on stderr. */
export type LogStream = 'stdout' | 'stderr';

/** A line that the vendor's runtime, or what it is made of, has printed. */
export interface RuntimeLogLine {
  readonly level: LogLevel;
  readonly component: LogComponent;
  /** What it says, without the mark of its level, the component's name and the time. Safe to print. */
  readonly text: string;
  readonly stream: LogStream;
}

/** Understands one line, without its end. Whatever bytes it holds, none of them reaches a terminal as a command. */
export function parseLogLine(line: string, stream: LogStream): RuntimeLogLine {
  const printed = harmless(line).trim();
  const marked = /^([DIWE])[ /](rkllm|RKNN) *: *(?:\[[\d:.]+\] *)?(.*)$/u.exec(printed);
  if (marked !== null) {
    const [, mark = '', name = '', text = ''] = marked;
    return { level: levels[mark] ?? 'info', component: name === 'RKNN' ? 'rknn' : 'rkllm', text, stream };
  }
  const origin = origins.find(({ pattern }) => pattern.test(printed));
  const level = origin?.level ?? levelByWords(printed, stream);
  return { level, component: origin?.component ?? 'other', text: printed, stream };
}

/** In the style of the runtime, also for what it prints without a mark: `E rkllm: invalid rkllm model!`. */
export function formatLogLine({ level, component, text }: RuntimeLogLine): string {
  if (component !== 'rkllm' && component !== 'rknn') return text;
  return `${level.charAt(0).toUpperCase()} ${component === 'rknn' ? 'RKNN' : 'rkllm'}: ${text}`;
}

const levels: Readonly<Record<string, LogLevel>> = { D: 'debug', I: 'info', W: 'warn', E: 'error' };

/** Control characters and those that reorder or break a line, but for the tab. */
const unsafe = /(?!\t)[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/gu;

function harmless(line: string): string {
  return stripVTControlCharacters(line).replaceAll('\r', '').replaceAll(unsafe, '\uFFFD');
}

/** Lines without a mark, by what they are known to say. The first that fits decides. */
const origins: readonly {
  readonly pattern: RegExp;
  readonly component: LogComponent;
  readonly level?: LogLevel;
}[] = [
  { pattern: /GGML_ASSERT|ggml_abort/u, component: 'ggml', level: 'error' },
  { pattern: /^(?:ggml|gguf|llama)_|invalid magic characters|^: error: /u, component: 'ggml' },
  // The frames below an assertion.
  { pattern: /^\S+(?:\(.*\))? ?\[0x[\da-f]+\]$/u, component: 'system', level: 'debug' },
  { pattern: /^(?:free|malloc\w*|realloc|munmap_chunk|tcache\w*)\(\)/u, component: 'system', level: 'error' },
  { pattern: /^(?:double free or|corrupted |\*\*\* )/u, component: 'system', level: 'error' },
  { pattern: /^(?:terminate called|what\(\): |pure virtual method)/u, component: 'system', level: 'error' },
  {
    pattern: /^(?:Segmentation fault|Aborted\b|Bus error|Illegal instruction|Killed$)/u,
    component: 'system',
    level: 'error',
  },
  { pattern: /: Assertion [`'].*' failed/u, component: 'system', level: 'error' },
  { pattern: /^libgomp: |loading shared libraries|symbol lookup error/u, component: 'system', level: 'error' },
  { pattern: /^rkllm|^Query platform|^Platform error|^Your platform is|prompt gather than/iu, component: 'rkllm' },
  { pattern: /target_platform|model version|driver version|chat template|matmul.* run failed/iu, component: 'rkllm' },
  { pattern: /^rknn_|npu memory|rknpu|rknn device|load model file|^Import rknn model/iu, component: 'rknn' },
  { pattern: /failed to (?:allocate|convert|submit)|weight memory for domain/iu, component: 'rknn' },
  { pattern: /^Device is not available|^Get device properties failed/u, component: 'rknn' },
];

const bad = /\b(?:fail(?:ed|ure)?|error|invalid|cannot|can not|could not|unable|does not match|not available)\b/iu;

function levelByWords(printed: string, stream: LogStream): LogLevel {
  if (/\bwarn(?:ing)?\b/iu.test(printed)) return 'warn';
  if (bad.test(printed)) return 'error';
  return stream === 'stderr' ? 'warn' : 'info';
}
