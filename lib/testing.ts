/**
 * For tests: a backend that writes what a test says, and the suite that every backend passes.
 *
 * @module rkllm/testing
 */

export {
  manualClock,
  scripted,
  type Clock,
  type ManualClock,
  type Replier,
  type Script,
  type ScriptedAnswer,
  type ScriptedBackend,
  type ScriptedFailure,
  type ScriptedLoad,
  type ScriptedReply,
  type ScriptedRequest,
  type ScriptedToken,
  type ScriptedTokens,
} from './backends/scripted/index.js';
export {
  conformance,
  type AnswerKind,
  type ConformanceCase,
  type ConformanceHarness,
  type ConformanceSetup,
} from './conformance/index.js';
