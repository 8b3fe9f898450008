// A small neuron view with known numbers: one layer of two heads.

import { initialState } from "../../bertviz/js/state.js";
import { layerOf, neuronsOf, payloadOf, sourceOf, tokens } from "./fixtures.js";

/**
 * @param {Parameters<typeof neuronsOf>[0]} [given]
 * @param {object} [more] of the payload
 */
export function neuronView(given, more = {}) {
  const neurons = neuronsOf({ heads: [2, 9], ...given });
  const shape = [neurons.heads.length, neurons.queryCount, neurons.headDim];
  const ref = /** @type {any} */ ({ queries: { shape } });
  const block = {
    name: "encoder",
    kind: "encoder",
    query: tokens([..."abcd"], [0, 0, 1, 1]),
    key: null,
    layers: [{ ...layerOf(5, neurons.heads), neurons: ref }],
  };
  const payload = payloadOf({ view: "neuron", blocks: [block], ...more });
  const source = sourceOf(payload, [[neurons]]);
  const start = initialState(payload, { detail: true, off: [], sort: "model" });
  return { neurons, payload, source, start };
}
