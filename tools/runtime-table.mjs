// Writes the tables of docs/runtime.md, between its markers, from the tables that the code uses. Needs dist/.
//   npm run docs:runtime
//   node tools/runtime-table.mjs --check [FILE]    exit code 1 when FILE is not as it would be written
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

const tables = {
  options: table(['option', 'where', 'field of the runtime'], optionRows()),
  calls: table(['call', 'function of the runtime'], callRows),
  inputs: table(['input'], inputRows),
  lines: ['| line | means | as |', '|---|---|---|', ...lineRows].join('\n'),
};

function withTables(text) {
  return Object.entries(tables).reduce((document, [name, content]) => {
    const section = new RegExp(`(<!-- begin ${name}[^>]*-->\n)[^]*?(<!-- end ${name} -->)`, 'u');
    if (!section.test(document)) throw new Error(`There is no '<!-- begin ${name} -->' … '<!-- end ${name} -->'.`);
    return document.replace(section, (_, begin, end) => `${begin}\n${content}\n\n${end}`);
  }, text);
}

const document = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'docs', 'runtime.md');
const [command, file = document] = process.argv.slice(2);
const found = readFileSync(file, 'utf8');
if (command !== '--check') {
  writeFileSync(document, withTables(found));
} else if (withTables(found) !== found) {
  console.error(`${file} is not what the tables in lib/ say: npm run docs:runtime`);
  process.exitCode = 1;
}
