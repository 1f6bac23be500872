// Runs Readability.js over prepared pages; run.py starts it.
//
//     node runner.mjs NAME PAGES [TEXTS]
//
// PAGES has a JSON object a line: id, url, html. Prints one line of JSON with what it took, writes the texts to TEXTS.
// The clock runs over the extraction alone, and only after the first page was done once.

import { createWriteStream, readFileSync } from "node:fs";
import { once } from "node:events";
import { createRequire } from "node:module";

// The packages lie where the tool is run, not beside this file.
const require = createRequire(process.cwd() + "/");
const { Readability } = require("@mozilla/readability");
const { parseHTML } = require("linkedom");

const [, , name, path, texts] = process.argv;
if (name !== "readability.js") throw new Error(`${name}: no such tool; there is readability.js`);

const BLOCK = new Set(
  "ADDRESS ARTICLE ASIDE BLOCKQUOTE BR DD DIV DL DT FIGCAPTION FIGURE FOOTER H1 H2 H3 H4 H5 H6 HEADER HR LI MAIN NAV OL P PRE SECTION TABLE TD TH TR UL".split(" "),
);

// textContent would join the last word of a paragraph with the first of the next.
function textOf(node, parts = []) {
  for (const child of node.childNodes) {
    if (child.nodeType === 3) parts.push(child.data);
    else if (child.nodeType === 1) {
      const block = BLOCK.has(child.tagName);
      if (block) parts.push("\n");
      textOf(child, parts);
      if (block) parts.push("\n");
    }
  }
  return parts;
}

function extract(page) {
  try {
    const { document } = parseHTML(page.html);
    const article = new Readability(document, { serializer: (element) => element }).parse();
    return article ? textOf(article.content).join("") : "";
  } catch {
    return null; // A tool that fails on a page has no text for it, and goes on.
  }
}

// By bytes: all pages together may be longer than a string can be, and readline also breaks lines at U+2028.
const bytes = readFileSync(path);
const pages = [];
for (let start = 0, end; (end = bytes.indexOf(10, start)) >= 0; start = end + 1) {
  pages.push(JSON.parse(bytes.toString("utf8", start, end)));
}
extract(pages[0]);
const wall = performance.now();
const processor = process.cpuUsage();
const found = pages.map(extract);
const { user, system } = process.cpuUsage(processor);
const took = performance.now() - wall;
if (texts) {
  const out = createWriteStream(texts);
  pages.forEach((page, at) => out.write(JSON.stringify({ id: page.id, text: found[at]?.toWellFormed?.() ?? found[at] }) + "\n"));
  out.end();
  await once(out, "finish");
}
console.log(JSON.stringify({
  pages: pages.length,
  processor: (user + system) / 1e6,
  wall: took / 1e3,
  failed: found.filter((text) => text === null).length,
  empty: found.filter((text) => !text?.trim()).length,
  chars: found.reduce((sum, text) => sum + (text?.length ?? 0), 0),
}));
