// Bundles bertviz/js into one script: node bundle.mjs OUTFILE. The style sheet goes in as text,
// minified, because every output of a notebook carries the bundle.

import { readFile } from "node:fs/promises";
import { build, transform } from "esbuild";

/** @type {import("esbuild").Plugin} */
const styleSheets = {
  name: "style sheets as text",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      // No target: one would rewrite colors and nesting for browsers that the views do not run in.
      const { code } = await transform(text, { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

await build({
  entryPoints: ["bertviz/js/index.js"],
  outfile: process.argv[2],
  bundle: true,
  format: "iife",
  globalName: "bertviz",
  minify: true,
  charset: "ascii",
  target: "es2022",
  logLevel: "warning",
  plugins: [styleSheets],
});
