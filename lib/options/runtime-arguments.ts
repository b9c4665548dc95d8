import { isAbortSignal, isFloats, isKvRangeList, isText, isTokenIdArray } from './shapes.js';
import type { OptionSpec, OptionTable } from './table.js';

const due = 'none: it is due';
const path = { kind: 'string', defaultsTo: due } as const satisfies OptionSpec;
const text = { kind: 'shape', expected: 'a text without U+0000', accepts: isText, defaultsTo: "''" } as const;
const floats = { kind: 'shape', expected: 'a Float32Array', accepts: isFloats, defaultsTo: due } as const;

/** What the calls of `model.runtime` take, besides inputs. */
export const runtimeArguments = {
  compute: { signal: { kind: 'shape', expected: 'an AbortSignal', accepts: isAbortSignal, defaultsTo: 'none' } },
  loadLora: { path, name: path, scale: { kind: 'number', min: -1000, max: 1000, defaultsTo: '1' } },
  loadPromptCache: { path },
  clearKvCache: {
    keepSystemPrompt: { kind: 'flag', defaultsTo: 'false' },
    ranges: { kind: 'shape', expected: 'a list of { from, to }', accepts: isKvRangeList, defaultsTo: 'all' },
  },
  setChatTemplate: { system: text, prefix: text, postfix: text },
  setFunctionTools: { system: text, tools: path, responseTag: path },
  setCrossAttention: {
    keyCache: floats,
    valueCache: floats,
    mask: floats,
    positions: { kind: 'shape', expected: 'an Int32Array', accepts: isTokenIdArray, defaultsTo: due },
  },
} as const satisfies Readonly<Record<string, OptionTable>>;
