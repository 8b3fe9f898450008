// Bundles bertviz/js into one script: node bundle.mjs OUTFILE. The style sheet goes in as text,
// minified, because every output of a notebook carries the bundle.

import { build } from "esbuild";

/** @type {import("esbuild").Plugin} */
const styleSheets = {
  name: "style sheets as text",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { outputFiles } = await build({
        entryPoints: [path],
        bundle: true,
        minify: true,
        write: false,
        logLevel: "warning",
      });
      return { contents: outputFiles[0].text.trim(), loader: "text" };
    });
  },
};

/** d3's `.html()` goes through the parser, which a page may forbid; nobody here calls it. */
/** @type {import("esbuild").Plugin} */
const withoutParser = {
  name: "no selection.html",
  setup({ onLoad }) {
    onLoad({ filter: /d3-selection[\\/]src[\\/]selection[\\/]html\.js$/ }, () => ({
      contents: "export default undefined;",
    }));
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
  plugins: [styleSheets, withoutParser],
});
