import type {
  EndedEvent,
  ModelHandle,
  NativeAddon,
  NativeEvent,
  NativeInput,
  RunHandle,
} from '../../lib/backends/rkllm/addon.js';

export interface SubjectChoices {
  /** Another subject's model file. */
  readonly file?: string;
  /** Release of the fake runtime. */
  readonly runtime?: string;
  readonly batchSize?: number;
  /** How many questions of the runtime stay open; the others are answered. Default 0. */
  readonly unanswered?: number;
}

export class Subject {
  constructor(script: readonly string[], choices?: SubjectChoices);
  readonly file: string;
  readonly runtime: string;
  readonly events: NativeEvent[];
  readonly runs: RunHandle[];
  readonly model: ModelHandle;
  said<T extends NativeEvent['type']>(type: T): Extract<NativeEvent, { type: T }>[];
  saying<T extends NativeEvent['type']>(type: T, count?: number): Promise<Extract<NativeEvent, { type: T }>>;
  generate(maxNewTokens?: number, input?: NativeInput | readonly NativeInput[]): RunHandle;
  abort(index?: number): void;
  dispose(): void;
  outcomes(): Promise<EndedEvent['outcome'][]>;
}

export const states: Record<
  | 'created'
  | 'loading'
  | 'ready'
  | 'running'
  | 'asking'
  | 'embedding'
  | 'aborting'
  | 'disposing'
  | 'disposed'
  | 'failed',
  () => Promise<Subject>
>;
/** The release of the fake runtime where a state does not need a certain one. */
export const anyRelease: string;
export const addon: NativeAddon;
/** Of all models since the last {@link newJournal}. */
export function calls(): string[];
export function newJournal(): void;
export function refusedLoads(): number;
export function fakeModel(script: readonly string[]): string;
export function pause(ms?: number): Promise<void>;
export function removeFakeModels(): void;
export function until(holds: () => boolean): Promise<void>;
