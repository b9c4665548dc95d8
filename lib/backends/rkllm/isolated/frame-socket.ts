import type { Socket } from 'node:net';
import { FrameReader, messageFrame, type Frame } from './frames.js';

/** Frames over one end of the socket pair. */
export class FrameSocket {
  readonly #socket: Socket;

  /**
   * @param onFrame - called with each frame, in order.
   * @param onClosed - called once: the other end is gone, or what it has sent cannot be read.
   */
  constructor(socket: Socket, onFrame: (frame: Frame) => void, onClosed: (failure: Error | undefined) => void) {
    this.#socket = socket;
    const reader = new FrameReader(onFrame);
    let failure: Error | undefined;
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.take(chunk);
      } catch (error) {
        failure = error as Error;
        socket.destroy();
      }
    });
    // The other end may be gone while we write; `close` says so.
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => onClosed(failure));
  }

  /** The other end reads more slowly than we write. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  whenDrained(callback: () => void): void {
    this.#socket.once('drain', callback);
  }

  /** What is written after the close is lost, and nobody waits for it. */
  write(...parts: readonly Buffer[]): void {
    if (this.#socket.destroyed) return;
    if (parts.length > 1) this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    if (parts.length > 1) this.#socket.uncork();
  }

  send(message: unknown): void {
    this.write(...messageFrame(message));
  }

  close(): void {
    this.#socket.destroy();
  }
}
