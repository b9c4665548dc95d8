// Which notes are about the same thing as a question? Run: node examples/embeddings.mts [path of a model]
// Models that were made to chat, as the embedded one was, give rough vectors: they are good enough to show how.
import { loadModel } from 'rkllm';

const model = await loadModel(process.argv[2]);

const notes = ['The RK3588 has an NPU.', 'A token is a piece of a word.', 'Tea tastes best without milk.'];
const question = 'What is a token?';

const { vectors, dimensions } = await model.embed([question, ...notes], { pooling: 'mean' });
const [asked = new Float32Array(), ...others] = vectors;

/** Vectors have the length 1, so their product is the cosine of the angle between them. */
const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

const ranking = others.map((vector, i) => ({ note: notes[i], score: cosine(asked, vector) }));
ranking.sort((a, b) => b.score - a.score);
console.log(`${question} (${dimensions} dimensions)`);
for (const { note, score } of ranking) console.log(score.toFixed(3), note);

await model.dispose();
