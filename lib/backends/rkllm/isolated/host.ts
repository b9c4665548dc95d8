/**
 * The process that the vendor's runtime runs in: it has one model, and one end of a socket pair, over which nobody but
 * the process that has started it can talk to it. It ends when that one closes its end, however that came about.
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { isRkllmError } from '../../../errors.js';
import { askAgainMs } from '../abort-watch.js';
import { nativeAddon, type ModelHandle, type NativeAddon, type NativeEvent, type QuestionHandle } from '../addon.js';
import { FrameSocket } from './frame-socket.js';
import { matrixFrame, type Frame } from './frames.js';
import { HostRun } from './host-run.js';
import { closeInherited } from './inherited-descriptors.js';
import type { HostReport, HostRequest, PlainError } from './messages.js';

/** How long the runtime may take to leave when the application is gone. */
const leaveMs = 2000;

/** See `stdio` in `host-process.ts`. */
const socketDescriptor = 3;
const stdout = 1;
const stderr = 2;

class Host {
  readonly #addon: NativeAddon;
  readonly #socket: FrameSocket;
  readonly #logMark: string;
  readonly #model: ModelHandle;
  readonly #runs = new Map<number, HostRun>();
  #marks = 0;
  #question: { readonly number: number; readonly handle: QuestionHandle } | undefined;
  #questions = 0;
  #askAgain: NodeJS.Timeout | undefined;
  #disposed = false;
  #onDisposed: (() => void) | undefined;

  constructor(socket: FrameSocket, { options, logMark }: Extract<HostRequest, { type: 'load' }>) {
    this.#socket = socket;
    this.#logMark = logMark;
    this.#addon = nativeAddon();
    this.#addon.lineBufferStdout();
    this.#model = this.#addon.load(options, (event) => this.#onEvent(event));
  }

  onRequest(request: HostRequest): void {
    switch (request.type) {
      case 'start':
        this.#start(request);
        break;
      case 'perform':
        this.#attempt('call', request.call, () => this.#addon.perform(this.#model, request.call, request.operation));
        break;
      case 'abort':
        this.#runs.get(request.run)?.abort();
        break;
      case 'answer':
        this.#answer(request);
        break;
      case 'dispose':
        this.#dispose();
        break;
      case 'load':
        throw new Error('This process has a model already.');
    }
  }

  /** Lets the runtime leave, with a limit. */
  leave(): void {
    const end = (): never => process.exit(0);
    if (this.#disposed) end();
    this.#onDisposed = end;
    setTimeout(killSelf, leaveMs);
    this.#dispose();
  }

  /** Asks until it is done: a run that is just entering the runtime does not hear that it has to end. */
  #dispose(): void {
    this.#addon.dispose(this.#model);
    this.#askAgain ??= setInterval(() => this.#addon.dispose(this.#model), askAgainMs);
  }

  #start({ run, input, options }: Extract<HostRequest, { type: 'start' }>): void {
    this.#attempt('run', run, () => {
      const handle = this.#addon.start(this.#model, run, input, options);
      this.#runs.set(run, new HostRun(this.#addon, this.#model, handle, run, this.#socket));
    });
  }

  #attempt(what: 'run' | 'call', id: number, action: () => void): void {
    try {
      action();
    } catch (error) {
      const { message, code } = error as { message: string; code?: string };
      this.#report({ type: 'event', event: { type: 'refused', what, id, error: { message, code } } });
    }
  }

  /** An answer to an earlier question comes too late. */
  #answer({ question, values }: Extract<HostRequest, { type: 'answer' }>): void {
    if (this.#question?.number !== question) return;
    this.#addon.answer(this.#question.handle, values);
    this.#question = undefined;
  }

  #onEvent(event: NativeEvent): void {
    switch (event.type) {
      case 'readable':
        this.#runs.get(event.run)?.onReadable();
        return;
      case 'asked': {
        const { question: handle, ...rest } = event;
        this.#question = { number: this.#questions++, handle };
        this.#report({ type: 'asked', event: { ...rest, question: this.#question.number } });
        return;
      }
      case 'ended': {
        this.#runs.get(event.run)?.end();
        this.#runs.delete(event.run);
        const peakMemoryMb = process.resourceUsage().maxRSS / 1024;
        this.#reportBehindLog({ type: 'event', event: { ...event, peakMemoryMb } });
        return;
      }
      case 'identified':
        this.#report({ type: 'event', event });
        return;
      case 'performed':
      case 'loaded':
      case 'failed':
        this.#reportBehindLog({ type: 'event', event });
        return;
      case 'disposed':
        this.#disposed = true;
        clearInterval(this.#askAgain);
        this.#report({ type: 'event', event });
        this.#onDisposed?.();
    }
  }

  /** With all that the runtime has printed before: the reason is in there. */
  #reportBehindLog(report: HostReport): void {
    const logMark = `${this.#logMark}:${this.#marks++}`;
    print(stdout, `\n${logMark}\n`);
    this.#report({ ...report, logMark });
  }

  #report(report: HostReport): void {
    if (report.type !== 'event' || report.event.type !== 'ended' || report.event.matrix === undefined) {
      this.#socket.send(report);
      return;
    }
    const { matrix, ...event } = report.event;
    this.#socket.write(...matrixFrame({ ...report, event }, matrix));
  }
}

/** Before anything that the runtime prints later. When the application is gone, nobody reads it. */
function print(descriptor: number, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch {
    // What there is to do about the loss follows from the end of the socket pair.
  }
}

function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}

function toPlainError(error: unknown): PlainError {
  if (!isRkllmError(error)) throw error;
  const { code, message, hint, details } = error;
  return { code, message, hint, details };
}

function main(): void {
  process.title = 'rkllm-host';
  closeInherited();
  // The application decides when its model goes; a signal to the whole group must not take it away before.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  let host: Host | undefined;
  const onFrame = (frame: Frame): void => {
    if (frame.kind !== 'message') throw new Error('Only messages come from the application.');
    const request = frame.clone as HostRequest;
    if (host !== undefined) host.onRequest(request);
    else if (request.type === 'load') host = load(request);
    else throw new Error('The first message has to be load.');
  };
  const load = (request: Extract<HostRequest, { type: 'load' }>): Host | undefined => {
    try {
      return new Host(socket, request);
    } catch (error) {
      socket.send({ type: 'unloadable', error: toPlainError(error) } satisfies HostReport);
      return undefined;
    }
  };
  const socket = new FrameSocket(new Socket({ fd: socketDescriptor }), onFrame, (failure) => {
    if (failure !== undefined) print(stderr, `${failure.message}\n`);
    if (host === undefined) process.exit(failure === undefined ? 0 : 1);
    host.leave();
  });
}

main();
