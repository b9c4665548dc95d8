/**
 * One measurement of `isolation: 'process'` or `'none'`, in a process of its own. Started by isolation.mjs:
 *
 *   node bench/isolation-designs.mjs '{"isolation":"process","design":"chunks","task":"flood",...}'
 *
 * Prints one line of JSON.
 */
import { performance } from 'node:perf_hooks';
import { abort, flood, loader, pace, readChunks, readChunkTokens, readTextStream } from './common/tasks.mjs';

const job = JSON.parse(process.argv[2]);
const load = loader(job);
const readers = { chunks: readChunks, tokens: readChunkTokens, 'text-stream': readTextStream };

const tasks = { flood, pace, abort, start, matrix };
console.log(JSON.stringify(await tasks[job.task]({ load, read: readers[job.design] }, job)));
process.exit(0); // what is left behind is not worth tidying

/** From loadModel() to the loaded model, one after the other. */
async function start() {
  const samples = [];
  for (let i = 0; i < job.loads; i++) {
    const before = performance.now();
    const model = await load(job.model);
    samples.push(performance.now() - before);
    await model.dispose();
  }
  return { samples };
}

/** From the call to the matrix, which is looked at. */
async function matrix() {
  const model = await load(job.model, { maxContextLength: job.rows });
  const tokenIds = new Int32Array(job.rows).fill(7);
  const samples = [];
  for (let i = 0; i < job.calls; i++) {
    const before = performance.now();
    const { values, rows, columns } = await model.runtime[job.call]({ tokenIds });
    samples.push(performance.now() - before);
    const first = job.call === 'logits' ? 0.5 : 0;
    if (
      rows * columns !== job.rows * job.columns ||
      values[0] !== first ||
      values.at(-1) !== first + values.length - 1
    ) {
      throw new Error(
        `a matrix of ${rows} by ${columns} from ${values[0]} to ${values.at(-1)} is not what was asked for`,
      );
    }
  }
  return { samples };
}
