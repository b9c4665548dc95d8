// The section of a changelog on stdin that is about one version: the notes of its release. Exit code 1 when there is none.
//   node tools/release/notes.mjs VERSION < CHANGELOG.md
import { readFileSync } from 'node:fs';

const [version = ''] = process.argv.slice(2);
const sections = readFileSync(0, 'utf8').split(/^## /mu);
const section = sections.find((text) => text.startsWith(`[${version}]`)) ?? '';
const notes = section.slice(section.indexOf('\n') + 1).trim();
if (notes === '') {
  console.error(`CHANGELOG.md has nothing under "## [${version}]". Name what is unreleased so, with the date.`);
  process.exitCode = 1;
} else {
  console.log(notes);
}
