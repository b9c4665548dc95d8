import type {
  AskedEvent,
  NativeAddon,
  NativeEvent,
  NativeInput,
  NativeLoadOptions,
  NativeOperation,
  NativeRunOptions,
} from '../addon.js';
import type { RefusedEvent } from '../driver.js';

/** What the application's process says to that of the runtime. The first one is `load`, and there is only one. */
export type HostRequest =
  | { readonly type: 'load'; readonly options: NativeLoadOptions; readonly logMark: string }
  | {
      readonly type: 'start';
      readonly run: number;
      readonly input: NativeInput | readonly NativeInput[];
      readonly options: NativeRunOptions | undefined;
    }
  | { readonly type: 'perform'; readonly call: number; readonly operation: NativeOperation }
  | { readonly type: 'abort'; readonly run: number }
  | { readonly type: 'answer'; readonly question: number; readonly values: Parameters<NativeAddon['answer']>[1] }
  | { readonly type: 'dispose' };

type WithNumber<Event> = Event extends AskedEvent ? Omit<Event, 'question'> & { readonly question: number } : never;

/** What the runtime asks; the handle stays in its process. */
export type RemoteQuestion = WithNumber<AskedEvent>;

/** What the runtime's process says besides tokens. */
export type HostReport = (
  | {
      readonly type: 'event';
      readonly event: Exclude<NativeEvent, AskedEvent | { readonly type: 'readable' }> | RefusedEvent;
    }
  | { readonly type: 'asked'; readonly event: RemoteQuestion }
  /** The load could not even begin. */
  | { readonly type: 'unloadable'; readonly error: PlainError }
) & {
  /** Has been written to stdout behind everything that the runtime has printed so far. */
  readonly logMark?: string;
};

/** An RkllmError as it crosses. */
export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
}
