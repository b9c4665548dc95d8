import type { AnswerEnds } from './answer.js';
import type { ResolvedSampling, RunRequest } from './backends/backend.js';
import type { Splits } from './chat/tag-splitter.js';
import type { RuntimeTools } from './chat/tools/runtime-tools.js';
import type { Engine } from './engine.js';
import type { SecondTry } from './recovery.js';
import type { RequestQueue } from './request-queue.js';
import type { JsonReader } from './structured/read-json.js';

/** What a generation is made of. */
export interface GenerationContext {
  readonly id: string;
  readonly engine: Engine;
  /** Sampling that the model has to be loaded with; undefined: whatever it has. */
  readonly loadedSampling: ResolvedSampling | undefined;
  readonly queue: RequestQueue;
  readonly recovery: SecondTry;
  readonly request: RunRequest;
  /** Decides on the request that is made in place of this one, before it waits for the engine. Absent: it stays. */
  readonly admission?: ((signal: AbortSignal) => Promise<RunRequest>) | undefined;
  /** The request has all of a conversation: nothing that the engine remembers may stand before it. */
  readonly isConversation: boolean;
  /** What ends the answer; the limit is the request's. */
  readonly ends: Omit<AnswerEnds, 'maxNewTokens'>;
  /** What the runtime's own template is to show the model. */
  readonly runtimeTools: RuntimeTools | undefined;
  /** What is told from the text of the answer. */
  readonly splits: Splits;
  /** Reads an answer that was held to a schema. Absent: it is text. */
  readonly jsonOf?: JsonReader | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: 'throw' | 'return';
}
