// Follows every link inside the site that `npm run docs` has made: exit code 1 when one leads nowhere. Links to other sites
// are not followed, for that takes a network.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const site = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'build', 'site');
const pages = readdirSync(site, { recursive: true }).filter((name) => name.endsWith('.html'));
const text = new Map(pages.map((name) => [path.join(site, name), readFileSync(path.join(site, name), 'utf8')]));
const unescaped = (value) => value.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"');

const anchors = new Map(
  [...text].map(([file, html]) => [
    file,
    new Set([...html.matchAll(/ (?:id|name)="([^"]*)"/gu)].map(([, id]) => unescaped(id))),
  ]),
);

function problemOf(page, link) {
  const [target, anchor] = unescaped(link).split('#');
  const file = target === '' ? page : path.resolve(path.dirname(page), decodeURI(target.split('?')[0]));
  if (!existsSync(file)) return 'there is no such file';
  if (anchor && anchors.has(file) && !anchors.get(file).has(decodeURIComponent(anchor)))
    return 'there is no such anchor';
  return undefined;
}

let links = 0;
for (const [page, html] of text) {
  for (const [, link] of html.matchAll(/ (?:href|src)="([^"]*)"/gu)) {
    if (/^(?:[a-z]+:|\/\/)/iu.test(link)) continue;
    links++;
    const problem = problemOf(page, link);
    if (problem === undefined) continue;
    console.error(`${path.relative(site, page)}: ${link}: ${problem}`);
    process.exitCode = 1;
  }
}
console.log(`${links} links on ${pages.length} pages of ${path.relative(process.cwd(), site)}`);
if (links === 0) process.exitCode = 1;
