import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { isRkllmError, RkllmError } from '../../../errors.js';
import type { LogStream, RuntimeLogLine } from '../runtime-log/line.js';
import { LogLines } from '../runtime-log/log-lines.js';
import { TimeLimit } from '../time-limit.js';
import { FrameSocket } from './frame-socket.js';
import type { Frame } from './frames.js';
import { guardedSpawn } from './guarded-spawn.js';
import type { HostRequest } from './messages.js';

/** The program of the other process; in `dist/`, whichever file this one has become. */
const hostFile = path.join(__dirname, 'host.js');

/** What has been printed may arrive after the end; something that the runtime has started may keep it from ending. */
const lastWordsMs = 250;

/** How the process ended. */
export interface Exit {
  readonly signal: NodeJS.Signals | null;
  readonly exitCode: number | null;
  /** What it sent last was no frame. */
  readonly nonsense: string | undefined;
}

/** Called in order; {@link onExit} last and once. */
export interface HostListener {
  onFrame(frame: Frame): void;
  onLine(line: RuntimeLogLine): void;
  onExit(exit: Exit): void;
  /** There is no process; in place of {@link onExit}. */
  onUnstartable(error: RkllmError): void;
}

/**
 * The process of the runtime, seen from the application's. It ends when its end of the socket pair closes, so also when
 * the application's process or worker thread is killed. It keeps the event loop alive only while it is held.
 */
export class HostProcess {
  readonly #listener: HostListener;
  readonly #child: ChildProcess;
  readonly #socket: FrameSocket;
  readonly #handles: readonly { ref(): unknown; unref(): unknown }[];
  #holds = 0;
  #nonsense: string | undefined;

  /** @throws RkllmError `RKLLM_WORKER_FAILED`. */
  constructor(environment: Readonly<Record<string, string>>, listener: HostListener) {
    this.#listener = listener;
    this.#child = startProcess(environment);
    // All four are sockets; the declarations only say that they can be read.
    const [, stdout, stderr, socket] = this.#child.stdio as unknown as [null, Socket, Socket, Socket];
    this.#socket = new FrameSocket(
      socket,
      (frame) => listener.onFrame(frame),
      (failure) => {
        if (failure === undefined) return;
        this.#nonsense = failure.message;
        this.kill();
      },
    );
    this.#handles = [this.#child, socket, stdout, stderr];
    this.#read(stdout, 'stdout');
    this.#read(stderr, 'stderr');
    this.#child.once('error', (cause) => {
      if (this.#child.pid === undefined) listener.onUnstartable(unstartable(cause));
    });
    this.#child.once('exit', (exitCode, signal) => this.#awaitLastWords(exitCode, signal));
    for (const handle of this.#handles) handle.unref();
  }

  send(request: HostRequest): void {
    this.#socket.send(request);
  }

  /** Keeps the event loop alive until {@link release}. */
  hold(): void {
    if (this.#holds++ === 0) for (const handle of this.#handles) handle.ref();
  }

  release(): void {
    if (--this.#holds === 0) for (const handle of this.#handles) handle.unref();
  }

  /** The process ends by itself, soon. */
  close(): void {
    this.#socket.close();
  }

  /** The process ends now; whoever waits for that still holds it. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** The process ends now, or never where it is stuck in the kernel; nobody waits for it. */
  abandon(): void {
    this.kill();
    this.#holds = 0;
    for (const handle of this.#handles) handle.unref();
  }

  #read(stream: Socket, name: LogStream): void {
    const lines = new LogLines(name, (line) => this.#listener.onLine(line));
    stream.on('data', (chunk: Buffer) => lines.write(chunk));
    stream.on('end', () => lines.end());
    stream.on('error', () => undefined);
  }

  #awaitLastWords(exitCode: number | null, signal: NodeJS.Signals | null): void {
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      limit.stop();
      this.#listener.onExit({ exitCode, signal, nonsense: this.#nonsense });
    };
    const limit = new TimeLimit(end);
    limit.start(lastWordsMs);
    if (this.#holds === 0) limit.unref();
    this.#child.once('close', end);
  }
}

function startProcess(environment: Readonly<Record<string, string>>): ChildProcess {
  if (!existsSync(hostFile)) throw unstartable({ message: `${hostFile} is missing` });
  // It would start the application again, and that one the next.
  if (isSingleExecutable()) throw unstartable({ message: `${process.execPath} is the application, not Node.js` });
  let child: ChildProcess;
  try {
    child = guardedSpawn(hostFile, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...environment },
      cwd: '/',
      // Out of reach of what a terminal sends to the application's process group.
      detached: true,
    });
  } catch (cause) {
    throw isRkllmError(cause) ? cause : unstartable(cause as NodeJS.ErrnoException);
  }
  // Without a file to spare Node.js makes no pipes, against its declarations, and tells why by an event only.
  if ((child.stdio as unknown) !== undefined) return child;
  child.once('error', () => undefined);
  throw unstartable({ code: 'EMFILE', message: 'too many files are open' });
}

/** A Node.js that cannot tell cannot be made one, either. */
function isSingleExecutable(): boolean {
  const { getBuiltinModule } = process as { getBuiltinModule?: (id: string) => { isSea?: () => boolean } | undefined };
  return getBuiltinModule?.('node:sea')?.isSea?.() ?? false;
}

function unstartable(cause: { readonly message: string; readonly code?: string | undefined }): RkllmError {
  const { message, code = '' } = cause;
  return new RkllmError('RKLLM_WORKER_FAILED', `The process for the runtime could not be started: ${message}.`, {
    hint: `${remedies[code] ?? remedyForBundles} isolation: 'none' needs no process.`,
    details: { program: process.execPath, file: hostFile },
    cause: cause instanceof Error ? cause : undefined,
  });
}

const remedyForBundles =
  'If a bundler has put this package into one file with the application, mark rkllm as external.';

const tooManyFiles = 'Close files and sockets that are not needed, or raise the limit: ulimit -n 102400.';
const remedies: Readonly<Record<string, string>> = {
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles,
  EAGAIN: 'Too many processes or threads are running: see ulimit -u, or TasksMax= of the service.',
  ENOMEM: 'There is not enough memory for another process.',
  ERR_ACCESS_DENIED: 'Start Node.js with --allow-child-process, or without its permission model.',
  E2BIG: 'Give less in runtimeEnv.',
};
