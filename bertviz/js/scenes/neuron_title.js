// One sentence that says what the open neuron view shows: where the query looks most, or at the key
// that is selected, and how that changes with what was changed.

import { shortWeight } from "../data/formats.js";
import { textsOf } from "../data/texts.js";
import { quoted } from "./token_texts.js";
import { changeIn } from "./what_if_texts.js";

/**
 * @param {import("./neuron.js").NeuronScene} scene with a selected query
 */
export function neuronTitle({ block, layer, head, query, key, keys, row, whatIf }) {
  const where = `Layer ${layer.index}, head ${head}`;
  const pair = key !== null && keys.includes(key);
  let best = pair ? key : keys[0];
  if (!pair) for (const other of keys) if (row.weights[other] > row.weights[best]) best = other;
  const text = textsOf(block);
  const from = quoted(text.query[/** @type {number} */ (query)]);
  const looks = `${from} looks ${pair ? "" : "most "}at ${quoted(text.key[best])}`;
  const changed = whatIf ? `; ${changeIn(whatIf)}: ${shortWeight(whatIf.weights[best])}` : "";
  return `${where}: ${looks}, ${shortWeight(row.weights[best])}${changed}`;
}
