import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { isMainThread } from 'node:worker_threads';
import { nativeAddon } from '../addon.js';

/**
 * Starts Node.js with a program, and leaves no zombie of it when this thread is a worker that ends first: then nobody
 * would reap it, since libuv reaps children by thread. The addon does, in worker threads only: elsewhere the process
 * ends with the thread, and need not wait.
 *
 * @throws RkllmError `RKLLM_ADDON_NOT_FOUND`, in a worker thread.
 */
export function guardedSpawn(file: string, options: SpawnOptions): ChildProcess {
  const addon = isMainThread ? undefined : nativeAddon();
  let pid = 0;
  addon?.expectChild();
  try {
    const child = spawn(process.execPath, [file], options);
    pid = child.pid ?? 0;
    if (pid !== 0) child.once('exit', () => addon?.releaseChild(pid));
    return child;
  } finally {
    addon?.guardChild(pid);
  }
}
