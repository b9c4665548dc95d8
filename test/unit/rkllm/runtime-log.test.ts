import fc from 'fast-check';
import { LastLines } from '../../../lib/backends/rkllm/runtime-log/last-lines.js';
import { formatLogLine, parseLogLine, type RuntimeLogLine } from '../../../lib/backends/rkllm/runtime-log/line.js';
import { LogLines, longestLine } from '../../../lib/backends/rkllm/runtime-log/log-lines.js';

const parse = (line: string): RuntimeLogLine => parseLogLine(line, 'stdout');

describe('a line with the mark of its level', () => {
  test.each([
    ['I rkllm: Enabled cpus: [4, 5, 6, 7]', 'info', 'rkllm', 'Enabled cpus: [4, 5, 6, 7]'],
    ['W rkllm: Warning: too low', 'warn', 'rkllm', 'Warning: too low'],
    ['E rkllm: invalid rkllm model!', 'error', 'rkllm', 'invalid rkllm model!'],
    ['D rkllm: deep inside', 'debug', 'rkllm', 'deep inside'],
    ['I rkllm:  Peak Memory Usage (GB)', 'info', 'rkllm', 'Peak Memory Usage (GB)'],
    ['E RKNN: [08:48:14.826] load model file error!', 'error', 'rknn', 'load model file error!'],
    ['E RKNN: load model file error!', 'error', 'rknn', 'load model file error!'],
    ['I RKNN: [08:21:53.967] RKNN Runtime Information', 'info', 'rknn', 'RKNN Runtime Information'],
    ['E RKNN    : load model file error!', 'error', 'rknn', 'load model file error!'],
    ['W/RKNN: as Android has it', 'warn', 'rknn', 'as Android has it'],
    ['I rkllm: ', 'info', 'rkllm', ''],
  ])('%s', (line, level, component, text) => {
    expect(parse(line)).toEqual({ level, component, text, stream: 'stdout' });
  });

  test.each(['E rkllm: invalid rkllm model!', 'W rkllm: Warning: too low', 'E RKNN: load model file error!'])(
    '%s is written as it came',
    (line) => {
      expect(formatLogLine(parse(line))).toBe(line);
    },
  );
});

describe('a line without a mark', () => {
  test.each([
    ['rkllm-runtime version: 1.0.1, rknpu driver version: 0.9.6, platform: RK3588', 'info', 'rkllm'],
    ['Warning: Your rknpu driver version is too low, please upgrade to 0.9.6.', 'warn', 'rkllm'],
    ['Warning: The model version is too old, please use the latest toolkit to reconvert the model!', 'warn', 'rkllm'],
    ['The model target_platform does not match!', 'error', 'rkllm'],
    ["RKLLM: failed to load model 'qwen.rkllm'!!!", 'error', 'rkllm'],
    ['rkllm init success', 'info', 'rkllm'],
    ['Query platform error!', 'error', 'rkllm'],
    ['Platform error: must be either RK3588, RK3576, RV1126B, or RK3562.', 'error', 'rkllm'],
    ['error: prompt gather than max context (prompt: 1299 tokens, max context: 1020)', 'error', 'rkllm'],
    ['matmul(w8a8) run failed', 'error', 'rkllm'],
    ['rknn_init fail! ret=-1', 'error', 'rknn'],
    ['load model file error!', 'error', 'rknn'],
    ['failed to malloc npu memory, size: 80, flags: 0x2', 'error', 'rknn'],
    ['failed to allocate handle, ret: -1, errno: 14, errstr: Bad address', 'error', 'rknn'],
    ['failed to open rknpu module, need to insmod rknpu dirver!', 'error', 'rknn'],
    ['failed to open rknn device!', 'error', 'rknn'],
    ['Device is not available', 'error', 'rknn'],
    ['Get device properties failed', 'error', 'rknn'],
    ['can not create weight memory for domain1', 'error', 'rknn'],
    [':0: GGML_ASSERT(view_src == NULL || data_size == 0) failed', 'error', 'ggml'],
    ['robot: :0: GGML_ASSERT(mask->ne[0] == a->ne[0]) failed', 'error', 'ggml'],
    ['GGML_ASSERT: ggml.c:3812: view_src == NULL', 'error', 'ggml'],
    ["gguf_init_from_file: invalid magic characters 'x'", 'error', 'ggml'],
    [": invalid magic characters 'x'", 'error', 'ggml'],
    [": error: failed to load model 'x.rkllm'", 'error', 'ggml'],
    ['/usr/lib/librkllmrt.so(+0x1c7e34)[0x7f84da7e34]', 'debug', 'system'],
    ['/lib/aarch64-linux-gnu/libc.so.6(__libc_start_main+0x98)[0x7f847374cc]', 'debug', 'system'],
    ['./llm_demo[0x402304]', 'debug', 'system'],
    ["terminate called after throwing an instance of 'std::bad_alloc'", 'error', 'system'],
    ['  what():  std::bad_alloc', 'error', 'system'],
    ['free(): invalid pointer', 'error', 'system'],
    ['malloc_consolidate(): unaligned fastbin chunk detected', 'error', 'system'],
    ['double free or corruption (!prev)', 'error', 'system'],
    ['corrupted size vs. prev_size', 'error', 'system'],
    ['*** stack smashing detected ***: terminated', 'error', 'system'],
    ['Segmentation fault (core dumped)', 'error', 'system'],
    ["node: a.c:3: main: Assertion `x == 1' failed.", 'error', 'system'],
    ['libgomp: Thread creation failed: Resource temporarily unavailable', 'error', 'system'],
    ['something else', 'info', 'other'],
    ['an error of something else', 'error', 'other'],
  ])('%s', (line, level, component) => {
    expect(parse(line)).toEqual({ level, component, text: line.trim(), stream: 'stdout' });
  });

  test.each([
    ['rknn_init fail! ret=-1', 'E RKNN: rknn_init fail! ret=-1'],
    ['Query platform error!', 'E rkllm: Query platform error!'],
    [':0: GGML_ASSERT(x) failed', ':0: GGML_ASSERT(x) failed'],
    ['free(): invalid pointer', 'free(): invalid pointer'],
    ['something else', 'something else'],
  ])('%s is written in the style of the runtime: %s', (line, written) => {
    expect(formatLogLine(parse(line))).toBe(written);
  });

  test('is a warning if it is on stderr', () => {
    expect(parseLogLine('something else', 'stderr')).toMatchObject({ level: 'warn', stream: 'stderr' });
  });
});

describe('what a terminal would obey', () => {
  test.each([
    ['colours', '\x1b[31mE rkllm: \x1b[1minvalid rkllm model!\x1b[0m', 'invalid rkllm model!'],
    ['a title', '\x1b]0;owned\x07E rkllm: text', 'text'],
    ['an 8-bit command', 'E rkllm: \x9b31mtext', 'text'],
    ['a carriage return', 'E rkllm: text\r', 'text'],
    ['a bell and a backspace', 'E rkllm: a\x07b\bc', 'a\uFFFDb\uFFFDc'],
    ['a NUL', 'E rkllm: a\0b', 'a\uFFFDb'],
    ['a right-to-left override', 'E rkllm: a\u202Eb', 'a\uFFFDb'],
    ['a line separator', 'E rkllm: a\u2028b', 'a\uFFFDb'],
    ['nothing: a tab', 'E rkllm: a\tb', 'a\tb'],
    ['nothing: other letters', 'E rkllm: 模型 😊', '模型 😊'],
  ])('%s', (_, line, text) => {
    expect(parse(line)).toMatchObject({ level: 'error', component: 'rkllm', text });
  });

  test('never comes through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (line) => {
        // eslint-disable-next-line no-control-regex -- they are what is looked for
        expect(parse(line).text).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      }),
      { examples: [['E rkllm: an unfinished command \x1b]0;owned'], ['\x1b\x1b[[31m'], ['a\x1b[31']] },
    );
  });
});

/** The texts of the lines in these chunks. */
function linesOf(...chunks: readonly (string | Uint8Array)[]): string[] {
  const found: string[] = [];
  const lines = new LogLines('stdout', ({ text }) => found.push(text));
  for (const chunk of chunks) lines.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  lines.end();
  return found;
}

describe('LogLines', () => {
  test('makes lines of chunks that end anywhere', () => {
    expect(linesOf('on', 'e\ntwo\r', '\nthree\n\n\nfo', '', 'ur\n')).toEqual(['one', 'two', 'three', 'four']);
  });

  test('tells a line as soon as it ends', () => {
    const found: string[] = [];
    const lines = new LogLines('stderr', ({ text, stream }) => found.push(`${stream}: ${text}`));
    lines.write(Buffer.from('one\ntw'));
    expect(found).toEqual(['stderr: one']);
    lines.write(Buffer.from('o\n'));
    expect(found).toEqual(['stderr: one', 'stderr: two']);
  });

  test('takes each state of a progress bar for a line', () => {
    expect(linesOf('10 %\r20 %\r', '30 %\r\ndone\n')).toEqual(['10 %', '20 %', '30 %', 'done']);
  });

  test('tells the last line, though it has no end', () => {
    expect(linesOf('one\nlast words')).toEqual(['one', 'last words']);
  });

  test('gives the same lines, whatever the chunks', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '模', '😊', ' b'), minLength: 1 });
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (texts, cuts) => {
        const bytes = Buffer.from(texts.join('\n'));
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(linesOf(...chunks)).toEqual(texts.map((text) => text.trim()).filter((text) => text !== ''));
      }),
    );
  });

  test('cuts what is too long, at once and between characters, and goes on after its end', () => {
    const found: string[] = [];
    const lines = new LogLines('stdout', ({ text }) => found.push(text));
    lines.write(Buffer.from(`x${'😊'.repeat(longestLine)}`));
    expect(found).toEqual([`x${'😊'.repeat(longestLine / 4 - 1)} …`]);
    lines.write(Buffer.from('dropped'));
    lines.write(Buffer.from(' too\nnext\n'));
    lines.end();
    expect(found.slice(1)).toEqual(['next']);
  });

  test('keeps a line of exactly the longest length', () => {
    expect(linesOf('x'.repeat(longestLine), '\ny')).toEqual(['x'.repeat(longestLine), 'y']);
  });

  test('reads bytes that are no text', () => {
    expect(linesOf(Buffer.from([0x61, 0xff, 0x62, 0xe6, 0x0a, 0xf0, 0x9f]))).toEqual(['a\uFFFDb\uFFFD', '\uFFFD']);
  });

  test('keeps no more than a line of a stream without ends', () => {
    const chunk = Buffer.alloc(1 << 16, 'x');
    const found: string[] = [];
    const lines = new LogLines('stdout', ({ text }) => found.push(text));
    for (let i = 0; i < 64; ++i) lines.write(chunk);
    lines.end();
    expect(found).toEqual([`${'x'.repeat(longestLine)} …`]);
  });
});

describe('LastLines', () => {
  const numbered = (count: number): RuntimeLogLine[] =>
    Array.from({ length: count }, (_, index) => parse(`line ${index}`));

  test.each([0, 1, 2, 3, 4, 7, 9])('of %i lines keeps the last three, in their order', (count) => {
    const last = new LastLines(3);
    for (const line of numbered(count)) last.push(line);
    expect(last.list()).toEqual(numbered(count).slice(-3));
  });

  test('keeps 50 if it is not told', () => {
    const last = new LastLines();
    for (const line of numbered(120)) last.push(line);
    expect(last.list()).toEqual(numbered(120).slice(-50));
  });

  test('forgets', () => {
    const last = new LastLines(2);
    for (const line of numbered(3)) last.push(line);
    last.clear();
    expect(last.list()).toEqual([]);
    for (const line of numbered(1)) last.push(line);
    expect(last.list()).toEqual(numbered(1));
  });

  test('gives a copy', () => {
    const last = new LastLines(2);
    last.list().push(parse('no'));
    expect(last.list()).toEqual([]);
  });
});
