// What stands above the columns of the neuron view, and their legend.

import { format } from "d3-format";
import { changeIn } from "../scenes/what_if_texts.js";

/** @typedef {import("../scenes/neuron.js").NeuronScene} NeuronScene */
/**
 * @typedef {object} Title
 * @property {number} x
 * @property {number} width
 * @property {string} title
 * @property {string} note below it
 * @property {import("../scenes/terms.js").Term} [term] what explains it
 */

const three = format(".3~g");

/**
 * @param {NeuronScene} scene
 * @param {import("./columns.js").Places} places
 * @returns {Title[]}
 */
export function titlesOf(scene, { x, stripe, widths, queryWidth, keyWidth, narrow, biased }) {
  const { headDim } = scene.shape;
  const scale = three(scene.neurons.scaling);
  return [
    { x: 30, width: queryWidth - 30, title: "", note: "query token" },
    { x: x.q, width: stripe, title: "query q", term: "query", note: `${headDim} neurons` },
    { x: x.k, width: stripe, title: "key k", term: "key", note: keyNote(scene) },
    {
      x: x.products,
      width: stripe + widths.rung - 8,
      term: "product",
      title: narrow ? "q × k" : `q × k · ${scale}`,
      note: narrow ? `· ${scale}` : "each neuron’s share",
    },
    ...(biased
      ? [
          {
            x: x.bias + 8,
            width: widths.bias - 8,
            title: "bias",
            term: /** @type {const} */ ("bias"),
            note: "added",
          },
        ]
      : []),
    {
      x: x.score + 4,
      width: widths.score,
      title: "score",
      term: "score",
      note: scoreNote(scene, biased),
    },
    {
      x: x.key + 8,
      width: keyWidth + widths.softmax - 8,
      title: "softmax",
      term: "softmax",
      note: "attention to the key token",
    },
  ];
}

/**
 * @param {NeuronScene} scene
 * @param {boolean} narrow
 */
export function stripName({ explanation }, narrow) {
  if (narrow) return "contribution";
  return `contribution to ${explanation ? explanation.what : "this row"}`;
}

/** How stripes tell signs, with and without colors. */
const RAISED = /** @type {[string, string]} */ (["positive, higher", "negative, lower"]);

/**
 * @param {NeuronScene} scene
 * @param {{queries: number, keys: number, products: number}} max
 */
export function columnsLegend({ whatIf }, { queries, keys, products }) {
  if (whatIf) {
    return { signed: `pale: original, solid: ${changeIn(whatIf)}`, signs: RAISED, note: "" };
  }
  const [q, k, both] = [queries, keys, products].map((value) => value.toFixed(2));
  const signed = `full strength: |q| ${q}, |k| ${k}, |q × k · scale| ${both}`;
  return { signed, signs: RAISED, note: "" };
}

/** @param {NeuronScene} scene */
function keyNote({ shape, sharing }) {
  if (!sharing) return `${shape.headDim} neurons`;
  return `shared by heads ${sharing[0]}–${sharing[sharing.length - 1]}`;
}

/**
 * @param {NeuronScene} scene
 * @param {boolean} biased
 */
function scoreNote({ neurons }, biased) {
  const sum = neurons.softcap ? `softcap ${neurons.softcap}` : "Σ of the row";
  return biased ? `${sum} + bias` : sum;
}
