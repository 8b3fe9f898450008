// What a reader of this code can rely on, beside what the types say. Layout is prettier's.

import js from "@eslint/js";
import globals from "globals";

// Left of controls the page's code runs in Node, where figures are made without a document. Which
// folders these are says tests/js/imports.test.js.
const PURE = ["data", "scenes", "parts", "paint", "svg"].map((folder) => `bertviz/js/${folder}/**`);

// A page may refuse whatever goes through its parser (require-trusted-types-for) and every inline
// style. Elements are made one by one, and styles set through the CSSOM.
const PARSED =
  "/^(innerHTML|outerHTML|srcdoc|insertAdjacentHTML|createContextualFragment|write|writeln|setHTMLUnsafe|parseHTMLUnsafe|parseFromString|html)$/";
const REFUSED = [
  {
    selector: `MemberExpression[property.name=${PARSED}]`,
    message: "A policy of trusted types refuses it: make elements one by one.",
  },
  {
    selector:
      "CallExpression[callee.property.name=/^(setAttribute|attr)$/][arguments.0.value=/^(style|on.*)$/]",
    message: "A policy may refuse inline styles and handlers: use the style property.",
  },
  {
    selector:
      "CallExpression[callee.property.name=createElement][arguments.0.value=/^(style|script)$/]",
    message: "A policy may refuse inline styles and scripts: use theme/sheets.js.",
  },
  {
    selector: "NewExpression[callee.name=/^(Function|Worker|SharedWorker|DOMParser)$/]",
    message: "A policy may refuse it.",
  },
];

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }], // == null is null or undefined
      "no-console": ["error", { allow: ["error"] }], // a view that fails tells the console, too
      "no-implicit-coercion": "error",
      // A loop may count without looking; a key may be taken out by naming it.
      "no-unused-vars": ["error", { varsIgnorePattern: "^_$", argsIgnorePattern: "^_$" }],
      "no-useless-rename": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": ["error", { destructuring: "all" }], // one of a pair may change
    },
  },
  {
    files: ["bertviz/js/**"],
    languageOptions: { globals: globals.browser },
    rules: {
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-restricted-syntax": ["error", ...REFUSED],
      // One concept a file, one thought a function.
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", { max: 80, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: [...PURE, "bertviz/js/state.js", "bertviz/js/theme/colors.js"],
    // Without the browser's globals: the document is undefined here.
    languageOptions: {
      globals: {
        ...Object.fromEntries(Object.keys(globals.browser).map((name) => [name, "off"])),
        ...globals["shared-node-browser"],
      },
    },
  },
  {
    // Coarse pictures are stretched by a canvas; figures are never coarse.
    files: ["bertviz/js/paint/raster.js"],
    languageOptions: { globals: { OffscreenCanvas: "readonly" } },
  },
  {
    files: ["tests/js/**", "*.js", "*.mjs"],
    languageOptions: { globals: globals.node },
  },
];
