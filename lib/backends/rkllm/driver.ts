import type { RkllmError } from '../../errors.js';
import type { EngineLine } from '../backend.js';
import type {
  EndedEvent,
  FailedEvent,
  ModelHandle,
  NativeAddon,
  NativeEvent,
  NativeLoadOptions,
  PerformedEvent,
} from './addon.js';
import type { Diagnosis } from './diagnosis/index.js';

/** What the addon threw at a run or a call that it does not take. */
export interface RefusedEvent {
  readonly type: 'refused';
  readonly what: 'run' | 'call';
  readonly id: number;
  readonly error: { readonly message: string; readonly code?: string | undefined };
}

/** What the runtime has printed about a failure, where that is known, and what it means. */
interface Explained {
  readonly lastLines?: readonly string[] | undefined;
  readonly diagnosis?: Diagnosis | undefined;
}

/** What a driver has to say. What the addon itself does not say comes from a process of its own only. */
export type DriverEvent =
  | Exclude<NativeEvent, FailedEvent | EndedEvent | PerformedEvent>
  | (FailedEvent & Explained)
  | (EndedEvent & Explained)
  | (PerformedEvent & Explained)
  | RefusedEvent
  | { readonly type: 'printed'; readonly line: EngineLine }
  /** The model is gone with its process. The last event. */
  | { readonly type: 'lost'; readonly error: RkllmError };

/** What the addon does for processes and not for models. */
type OfProcesses = 'lineBufferStdout' | 'expectChild' | 'guardChild' | 'releaseChild';

/**
 * What drives the vendor's library: the addon in this process, or one in a process of its own. That one refuses a run or
 * a call later, with an event in place of an error.
 */
export interface Driver extends Omit<NativeAddon, 'load' | OfProcesses> {
  /** A model that is given up or lost goes with its process. */
  readonly isolated?: true;
  /** Resolves when nothing is left of a model that was given up or lost. Absent: it stays, and takes no more of anything. */
  left?(model: ModelHandle): Promise<unknown>;
  load(options: NativeLoadOptions, onEvent: (event: DriverEvent) => void): ModelHandle;
}
