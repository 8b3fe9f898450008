// The rule on imports, held. A file imports from its own folder and from those left of it, types
// included. What is left of controls is pure: it runs in Node, where figures are made, and its
// tests need no browser.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const RULE =
  "data <- state <- scenes <- parts <- paint <- svg <- controls <- views <- shell <- index";
const ORDER = RULE.split(" <- ");
const PURE = ORDER.slice(0, ORDER.indexOf("controls"));
// Colors are numbers for everybody; the page's theme is found in the document.
/** @type {Record<string, string>} */
const PLACES = {
  "theme/colors.js": "data",
  "theme/mode.js": "controls",
  "theme/sheets.js": "controls",
  "theme/style.css": "controls",
};

const ROOT = new URL("../../bertviz/js/", import.meta.url);
const files = globSync("**/*.js", { cwd: fileURLToPath(ROOT) }).map((file) =>
  file.replaceAll("\\", "/"),
);

/** Folder of a file, or its name at the top. @param {string} file */
const placeOf = (file) => PLACES[file] ?? file.replace(/\.js$/, "").split("/")[0];
/** @param {string} file */
const isPure = (file) => PURE.includes(placeOf(file));

const IMPORT = /^(?:import|export)\b[^;]*?\bfrom\s*"(\.[^"]+)";|^import\s*"(\.[^"]+)";/gm;
const TYPE_IMPORT = /\bimport\("(\.[^"]+)"\)/g;

/**
 * The files that a file imports, as paths from bertviz/js.
 * @param {string} file
 * @param {RegExp[]} kinds
 */
function importsOf(file, ...kinds) {
  const text = readFileSync(new URL(file, ROOT), "utf8");
  return kinds
    .flatMap((kind) => Array.from(text.matchAll(kind)))
    .map(([, from, bare]) => normalize(join(dirname(file), from ?? bare)));
}

/**
 * A file and all that it loads.
 * @param {string} file
 * @param {Set<string>} [seen]
 */
function loadedBy(file, seen = new Set()) {
  if (!seen.has(file)) {
    seen.add(file);
    if (file.endsWith(".js")) for (const next of importsOf(file, IMPORT)) loadedBy(next, seen);
  }
  return seen;
}

test("every file has its place in the rule", () => {
  assert.ok(files.length > 30);
  for (const file of files) assert.ok(ORDER.includes(placeOf(file)), file);
});

test("imports run one way", () => {
  for (const file of files) {
    for (const imported of importsOf(file, IMPORT, TYPE_IMPORT)) {
      const [from, to] = [file, imported].map((name) => ORDER.indexOf(placeOf(name)));
      assert.ok(to <= from, `${file} imports ${imported}, which is right of it: ${RULE}`);
    }
  }
});

test("no file imports itself by way of others", () => {
  for (const file of files) {
    for (const imported of importsOf(file, IMPORT)) {
      assert.ok(!loadedBy(imported).has(file), `${file} and ${imported} import each other`);
    }
  }
});

test("what is pure loads nothing of the page, and loads without one", async () => {
  assert.equal(typeof document, "undefined");
  const pure = files.filter(isPure);
  assert.ok(pure.length > 15);
  for (const file of pure) {
    const page = Array.from(loadedBy(file)).filter((loaded) => !isPure(loaded));
    assert.deepEqual(page, [], `${file} loads them`);
    await import(new URL(file, ROOT).href);
  }
});

test("the check sees what it is to see", () => {
  assert.ok(importsOf("theme/sheets.js", IMPORT).includes("theme/style.css"));
  assert.ok(importsOf("index.js", IMPORT).includes("views/head_view.js"));
  assert.ok(importsOf("controls/frame.js", TYPE_IMPORT).includes("svg/figure.js"));
  assert.ok(loadedBy("index.js").has("data/binary.js"));
});
