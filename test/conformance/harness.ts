export type { AnswerKind, ConformanceHarness as Harness } from 'rkllm/testing';
