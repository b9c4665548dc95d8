// Writes the tables of docs/runtime.md and docs/compatibility.md, between their markers, from the tables that the code uses.
// Needs dist/.
//   npm run docs:runtime
//   node tools/runtime-table.mjs --check [FILE]    exit code 1 when FILE, or one of both, is not as it would be written
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { knownLines } from '../dist/backends/rkllm/diagnosis/index.js';
import { generations, hasRelease } from '../dist/backends/rkllm/generations.js';
import { generateTable } from '../dist/options/generate.js';
import { loadTable } from '../dist/options/load.js';
import { mirostatTable } from '../dist/options/npu.js';
import { runtimeCallTitle, runtimeCalls } from '../dist/options/runtime-calls.js';
import { runtimeFeatures, runtimeInputs } from '../dist/options/runtime-features.js';
import { samplingTable } from '../dist/options/sampling.js';

const oldest = '1.1.0';
/** Generations that are more than the one release that names them. */
const spans = { 1.1: '1.1.0–1.1.4', '1.2.1': '1.2.1–1.2.3' };

const code = (names) =>
  names
    .split(', ')
    .map((name) => `\`${name}\``)
    .join(', ');
const withNote = (text, note) => (note === undefined ? text : `${text}; ${note}`);

/** Rows end with a mark for each generation that has what the row is about. */
function table(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const columns = [...header, 'from', ...generations.map((name) => spans[name] ?? name)];
  const body = rows.map(({ cells, since = oldest }) => {
    const marks = generations.map((name) => (hasRelease(name, since) ? '✓' : '–'));
    if (!marks.includes('✓')) throw new Error(`No generation has ${cells[0]}: its release is ${since}.`);
    return line([...cells, since, ...marks]);
  });
  return [line(columns), `|${'---|'.repeat(columns.length)}`, ...body].join('\n');
}

/** What `loadModel()` and `generate()` take in the same way is one row. */
function optionRows() {
  const ofRuntime = (options) =>
    Object.entries(options).filter(([, { runtimeField, since }]) => runtimeField !== undefined || since !== undefined);
  const load = ofRuntime(loadTable).map(([name, spec]) => ({ where: 'load', name, ...spec }));
  const generation = ofRuntime(generateTable).map(([name, spec]) => {
    const row = { where: 'generation', name, ...spec };
    if (!(name in samplingTable || name in mirostatTable)) return row;
    return { ...row, runtimeField: `sampling_params.${spec.runtimeField}`, ...runtimeFeatures.samplingPerGeneration };
  });
  const rows = load.map((option) => {
    const twin = generation.findIndex(({ name, since }) => name === option.name && since === option.since);
    if (twin < 0) return option;
    generation.splice(twin, 1);
    return { ...option, where: 'load, generation' };
  });
  const template = { where: 'load', name: "template: 'runtime'", note: 'no `rkllm_set_chat_template`' };
  return [...rows, { ...template, ...runtimeFeatures.runtimeTemplate }, ...generation].map(
    ({ name, where, runtimeField, note, since }) => ({
      cells: [code(name), where, [runtimeField && code(runtimeField), note].filter(Boolean).join('; ')],
      since,
    }),
  );
}

const callRows = Object.entries(runtimeCalls).map(([name, { vendorFunction, note, since }]) => ({
  cells: [code(runtimeCallTitle(name)), withNote(code(vendorFunction), note)],
  since,
}));

const inputNames = { image: '`image`, one', severalImages: '`image`, several, and their size' };
const inputRows = Object.entries(runtimeInputs).map(([name, { since }]) => ({
  cells: [inputNames[name] ?? code(name)],
  since,
}));

const lineRows = knownLines.map((known) => {
  const line = known.example.replaceAll('|', '\\|');
  return `| \`${line}\` | [\`${known.code}\`](troubleshooting.md#${known.code.toLowerCase()}) | ${known.weight} |`;
});

/** What a release can be used for, each by the option, call or input that it takes. */
const features = {
  'answers, streams, stop sequences, aborts, conversations': oldest,
  '[JSON answers](structured-output.md), checked and asked for again': oldest,
  '[tools](tools.md), written into the prompt; `chat.run()`': oldest,
  'adapters (LoRA), prompt caches in files': runtimeCalls.loadLora.since,
  'hidden states, and [vectors of texts](guide.md#vectors-of-texts-and-logits)': runtimeCalls.hiddenStates.since,
  'an image': runtimeInputs.image.since,
  'a turn of a conversation computes only what is new, in memory': runtimeFeatures.prefixReuse.since,
  "the model's own chat template, applied by the runtime": runtimeFeatures.runtimeTemplate.since,
  logits: runtimeCalls.logits.since,
  'a choice of CPUs, embeddings read from the file': loadTable.cpus.since,
  'several images, and their size': runtimeInputs.severalImages.since,
  'several prompts at once, pausing': loadTable.batchSize.since,
  "the runtime's own function tools and switch for thinking": runtimeCalls.setFunctionTools.since,
  'cross attention': runtimeCalls.setCrossAttention.since,
  'sampling for each generation; before, by loading again': runtimeFeatures.samplingPerGeneration.since,
  'models without tokenizer or embeddings': loadTable.tokenizer.since,
  video: runtimeInputs.video.since,
  audio: runtimeInputs.audio.since,
};
const featureRows = Object.entries(features).map(([name, since]) => ({ cells: [name], since }));

const documents = {
  'runtime.md': {
    options: table(['option', 'where', 'field of the runtime'], optionRows()),
    calls: table(['call', 'function of the runtime'], callRows),
    inputs: table(['input'], inputRows),
    lines: ['| line | means | as |', '|---|---|---|', ...lineRows].join('\n'),
  },
  'compatibility.md': { features: table(['feature'], featureRows) },
};

function withTables(text, tables) {
  return Object.entries(tables).reduce((document, [name, content]) => {
    const section = new RegExp(`(<!-- begin ${name}[^>]*-->\n)[^]*?(<!-- end ${name} -->)`, 'u');
    if (!section.test(document)) throw new Error(`There is no '<!-- begin ${name} -->' … '<!-- end ${name} -->'.`);
    return document.replace(section, (_, begin, end) => `${begin}\n${content}\n\n${end}`);
  }, text);
}

const directory = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'docs');
const everything = Object.keys(documents).map((name) => path.join(directory, name));
const [command, ...given] = process.argv.slice(2);
for (const file of given.length > 0 ? given : everything) {
  const found = readFileSync(file, 'utf8');
  const wanted = withTables(found, documents[path.basename(file)]);
  if (command !== '--check') {
    writeFileSync(file, wanted);
  } else if (wanted !== found) {
    console.error(`${file} is not what the tables in lib/ say: npm run docs:runtime`);
    process.exitCode = 1;
  }
}
