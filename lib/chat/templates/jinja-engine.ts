/* eslint-disable @typescript-eslint/no-require-imports -- only models that bring a template need it, and Jest refuses import() */
import { withinTime } from './bounded.js';

/** What is used of `@huggingface/jinja`; its types name no file endings, so a CommonJS project sees `any`. */
interface JinjaLibrary {
  readonly Template: new (source: string) => { render(items: Readonly<Record<string, unknown>>): string };
  readonly Environment: new () => { set(name: string, value: unknown): void };
  readonly Interpreter: new (environment: object) => { run(program: object): { readonly value: string } };
  tokenize(source: string, options: { readonly lstrip_blocks: boolean; readonly trim_blocks: boolean }): object[];
  parse(tokens: object[]): object;
}

/** What bounds a template, which came with a model from anywhere. */
export interface JinjaLimits {
  /** For one prompt. The templates of real models take a few milliseconds. */
  readonly timeMs: number;
  /** UTF-16 units of a prompt beyond the length of its messages. */
  readonly extraLength: number;
}

export const jinjaLimits: JinjaLimits = { timeMs: 5000, extraLength: 1_000_000 };

/** The longest template and the longest `range()`: far beyond those of any real model. */
const longestSource = 1_000_000;
const longestRange = 100_000;

/** Compiles a template. Both it and what it returns throw whatever is wrong, as an Error with a message for people. */
export function compileJinja(
  source: string,
  limits: JinjaLimits,
): (items: Readonly<Record<string, unknown>>) => string {
  if (source.length > longestSource) throw new Error(`it has ${source.length} characters`);
  const jinja = require('@huggingface/jinja') as JinjaLibrary;
  const program = withinTime(limits.timeMs, () =>
    jinja.parse(jinja.tokenize(source, { lstrip_blocks: true, trim_blocks: true })),
  );
  return (items) => {
    const environment = new jinja.Environment();
    for (const [name, value] of Object.entries({ ...globalsOf(jinja), ...items })) environment.set(name, value);
    const { value } = withinTime(limits.timeMs, () => new jinja.Interpreter(environment).run(program));
    return value;
  };
}

/** Those of Hugging Face's templates, with a `range()` that cannot fill the memory. */
function globalsOf(jinja: JinjaLibrary): Record<string, unknown> {
  return {
    ...{ true: true, false: false, none: null, True: true, False: false, None: null },
    range: boundedRange,
    raise_exception: (message: unknown) => {
      throw new TemplateRefusal(String(message));
    },
    strftime_now: (format: string) => new jinja.Template('{{ strftime_now(format) }}').render({ format }),
  };
}

/** What a template says by `raise_exception()`. */
export class TemplateRefusal extends Error {}

function boundedRange(first: number, last?: number, step = 1): number[] {
  const [start, stop] = last === undefined ? [0, first] : [first, last];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= longestRange)) throw new Error(`range() of ${length} numbers`);
  return Array.from({ length }, (_, index) => start + index * step);
}
