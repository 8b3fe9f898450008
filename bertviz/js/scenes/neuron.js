// The neuron view's picture of a state, as data. Columns hold all keys of the head in the model's
// order, also under a filter, so that they add up; queries and keys say which rows are drawn.

import { attend, keysOf, queryOf } from "../data/attention.js";
import { edgesOf } from "../data/edges.js";
import { headWeights } from "../data/head_weights.js";
import { textsOf } from "../data/texts.js";
import { changed, contributions, ranked } from "../data/what_if.js";
import { positionsOf } from "../data/filters.js";
import { explanationOf } from "../state.js";

/** @typedef {import("../data/payload.js").Source} Source */
/** @typedef {import("../data/schema.js").Neurons} Neurons */
/** @typedef {import("../state.js").State} State */
/** @typedef {ReturnType<typeof neuronScene>} NeuronScene */

/**
 * @param {Source} source
 * @param {State} state
 */
export function neuronScene(source, state) {
  const block = source.block(state.block);
  const layer = source.layer(state.block, state.layer);
  const neurons = source.neurons(layer);
  const head = state.heads[0];
  const slot = neurons.heads.indexOf(head);
  const query = state.query ?? 0;
  const row = attend(neurons, slot, query);
  const explanation = state.sort === "explanation" ? explanationOf(source.payload, state) : null;
  const contribution = explanation
    ? Float32Array.from(explanation.contributions)
    : contributions(row, neurons.headDim);
  const { off = [], temperature = 1 } = state;
  const isChanged = off.length > 0 || temperature !== 1;
  return {
    view: "neuron",
    ...{ block, layer, neurons, head, row, contribution, explanation },
    heads: [head],
    queries: positionsOf(block, "query", state),
    keys: positionsOf(block, "key", state),
    query: state.query,
    key: state.key,
    shape: { query: neurons.queryCount, key: neurons.keyCount, headDim: neurons.headDim },
    /** The heads that use this head's keys, where several do. */
    sharing: sharingOf(neurons, slot),
    detail: Boolean(state.detail),
    /** Neurons from left to right. */
    order: state.sort === "model" || !state.sort ? null : ranked(contribution),
    /** Scores and weights without the neurons that are off and at that temperature, if they differ. */
    whatIf: isChanged ? changed(neurons, slot, query, row, { off, temperature }) : null,
    columns: {
      queries: queryOf(neurons, slot),
      keys: keysOf(neurons, slot),
      products: row.products,
      scores: row.scores,
      bias: row.bias,
      weights: row.weights,
    },
  };
}

/**
 * @param {Neurons} neurons
 * @param {number} slot
 */
function sharingOf(neurons, slot) {
  const heads = neurons.heads.filter((_, s) => neurons.keyHead[s] === neurons.keyHead[slot]);
  return heads.length > 1 ? heads : null;
}

/**
 * The head as lines, as the closed view shows it.
 * @param {NeuronScene} scene
 * @param {State} state
 * @param {import("../theme/colors.js").Theme} theme
 */
export function closedPicture({ block, layer, neurons, queries, keys, head }, state, theme) {
  const weights = headWeights(neurons, head);
  const { query, key, also } = state;
  return {
    ...{ block, weights, heads: [head], queries, keys },
    edges: edgesOf(weights, { heads: [head], queries, keys, query, key, also }),
    text: textsOf(block),
    colors: [theme.head(head)],
    name: `${state.block} ${layer.index} ${head} ${state.pair}`,
  };
}
