import { debuglog, inspect, types } from 'node:util';

/** What a line of the log is about. An error is in `err`. Values are plain but for it. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Takes the lines of the log: the fields first, then the message, as pino and bunyan have it; `console` will do, too. It
 * is called synchronously. What it throws or rejects with is reported once as a process warning (`RKLLM_LOGGER`) and changes nothing else.
 */
export interface Logger {
  /** Each load and generation. */
  debug(fields: LogFields, message: string): void;
  /** A load that is over. */
  info(fields: LogFields, message: string): void;
  /**
   * What an operator may want to know: a full queue, another model in the place of the one that was asked for, a
   * restart.
   */
  warn(fields: LogFields, message: string): void;
  /** What has failed. */
  error(fields: LogFields, message: string): void;
}

/** Writes a line. */
export type Log = (level: keyof Logger, fields: LogFields, message: string) => void;

const debug = debuglog('rkllm');

/** Undefined: nobody reads a log. */
export function createLog(logger: Logger | undefined): Log | undefined {
  if (logger === undefined && !debug.enabled) return undefined;
  let reported = false;
  const report = (error: unknown): void => {
    if (reported) return;
    reported = true;
    process.emitWarning('The logger that loadModel() was given has thrown; what it throws later is not reported.', {
      type: 'RkllmWarning',
      code: 'RKLLM_LOGGER',
      detail: inspect(error),
    });
  };
  return (level, fields, message) => {
    if (debug.enabled) debug('%s: %s %s', level, message, inspect(fields, { breakLength: Infinity }));
    try {
      const returned = logger?.[level](fields, message) as unknown;
      if (types.isPromise(returned)) returned.catch(report); // an async function passes for one that returns nothing
    } catch (error) {
      report(error);
    }
  };
}
