// What the head view shows: the weights of some heads of one layer, seen through what the reader has
// chosen. Its lines, its matrix and the overview beside them are drawn from the same picture.

import { numberOf, slotsOf } from "../data/differences.js";
import { edgesOf } from "../data/edges.js";
import { tokensOf } from "../data/schema.js";
import { regrouped, SEVERAL, textOf } from "../data/regroup.js";
import { positionsOf } from "../data/filters.js";
import { slotColors } from "./picture.js";

/** @typedef {import("../data/payload.js").Source} Source */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {{queries: Int32Array, keys: Int32Array}} Part positions of both sides */
/** @typedef {ReturnType<typeof headScene>} HeadScene */

/**
 * The picture of a state, as data.
 * @param {Source} source
 * @param {State} state
 */
export function headScene(source, state) {
  const block = source.block(state.block);
  const layer = source.layer(state.block, state.layer);
  const weights = regrouped(source.weights(layer), block, state);
  const heads = (state.combine ?? "each") === "each" ? slotsOf(weights, state.heads) : [SEVERAL];
  const all = {
    queries: positionsOf(block, "query", state),
    keys: positionsOf(block, "key", state),
  };
  const { query, key, also, mass } = state;
  const part = windowOf(all, state.zoom);
  const among = state.renormalize ? all.keys : null;
  const shown = { block, layer, weights, heads, among, ...part };
  const edges = edgesOf(weights, { heads, ...part, query, key, also, among, mass, boost: true });
  const text = {
    query: textOf(tokensOf(block, "query"), state.words),
    key: textOf(tokensOf(block, "key"), state.words),
  };
  return Object.assign(Object.create(edges), { view: "head", ...shown, all, text, query, key });
}

/**
 * The part of a text that lies in a window.
 * @param {Part} all
 * @param {State["zoom"]} zoom
 * @returns {Part}
 */
export function windowOf({ queries, keys }, zoom) {
  if (!zoom) return { queries, keys };
  return {
    queries: queries.filter((q) => q >= zoom[0] && q < zoom[1]),
    keys: keys.filter((k) => k >= zoom[2] && k < zoom[3]),
  };
}

/**
 * What lines, matrix and overview draw.
 * @param {HeadScene} scene
 * @param {State} state
 * @param {Theme} theme
 */
export function headPicture(scene, state, theme) {
  const several = scene.heads[0] === SEVERAL;
  return {
    ...scene,
    edges: scene,
    missing: theme.muted,
    colors: slotColors(scene, (head) => (several ? theme.accent : theme.head(head)), theme),
    name: nameOf(state),
  };
}

/** Changes when the lines at rest change. @param {State} state */
const nameOf = (state) =>
  JSON.stringify([
    ...[state.block, state.layer, state.heads, state.pair, state.renormalize],
    ...[state.words, state.combine, state.hide, state.mass, state.zoom],
  ]);

/**
 * Another layer with all of its heads, seen through the same choices: its numbers, without colors.
 * @param {Source} source
 * @param {State} state
 * @param {import("../data/schema.js").Layer} layer
 */
export function layerPicture(source, state, { index, heads }) {
  const own = /** @type {State} */ ({ ...state, layer: index, heads, combine: "each" });
  const scene = headScene(source, own);
  return { ...scene, edges: scene, colors: [], name: nameOf(own) };
}

/**
 * Another part of the same picture, or the same part, with nothing selected: matrix and overview show
 * all weights whatever is selected.
 * @param {ReturnType<typeof headPicture>} picture
 * @param {Part} part
 */
export function unselected(picture, part) {
  const { heads, weights, among } = picture;
  const edges = edgesOf(weights, { heads, ...part, query: null, key: null, among });
  return { ...picture, ...part, edges };
}

/**
 * Of nothing selected, the picture of each head alone.
 * @param {ReturnType<typeof unselected>} picture
 */
export function perHead(picture) {
  const { heads, colors, weights, queries, keys, among } = picture;
  return [...new Set(heads.map(numberOf))].map((head) => {
    const slots = [...heads.keys()].filter((i) => numberOf(heads[i]) === head);
    const own = slots.map((i) => heads[i]);
    const part = { heads: own, queries, keys, query: null, key: null, among };
    return {
      ...{ ...picture, head, heads: own, colors: slots.map((i) => colors[i]) },
      edges: edgesOf(weights, part),
      name: `${picture.name} ${head}`,
    };
  });
}

/**
 * The color of all head squares, where heads have no colors of their own.
 * @param {HeadScene} scene
 * @param {Theme} theme
 */
export function squareColor({ heads, signs }, theme) {
  if (heads[0] === SEVERAL) return theme.accent;
  return signs.includes(-1) ? theme.muted : null;
}
