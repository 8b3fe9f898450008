// The model view's picture of a state, as data. Without an opened cell its edges are those of every
// cell; with one, that cell's, and with a selected token there, that token's.

import { NAMES, slotsOf } from "../data/differences.js";
import { edgesOf } from "../data/edges.js";
import { isAttention, isSigned, pliesOf } from "../data/kinds.js";
import { textsOf } from "../data/texts.js";
import { startingMass } from "./long_texts.js";
import { slotColors } from "./picture.js";
import { gridOf } from "./model_grid.js";

/** @typedef {import("../data/payload.js").Source} Source */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {import("./model_grid.js").Cell} Cell */
/** @typedef {import("./model_grid.js").Grid} Grid */
/** @typedef {ReturnType<typeof modelScene>} ModelScene */

/**
 * @param {Source} source
 * @param {State} state
 */
export function modelScene(source, state) {
  const grid = gridOf(source, state);
  const { cell } = state;
  const open = grid.cells.find((c) => c.layer.index === cell?.[0] && c.head === cell[1]) ?? null;
  const edgesOfCell = (/** @type {Cell} */ c) => cellEdges(source, grid, state, c, open !== null);
  // Plain tiles are drawn without weights.
  const drawn = () => (open ? [open] : grid.cells.filter((c) => source.has(c.layer, "weights")));
  return {
    ...grid,
    view: "model",
    /** The cell whose tokens are shown beside or below the grid. */
    open,
    // A cell has one head, so opacity is the weight; an open cell shows small differences stronger.
    gain: open ? edgesOfCell(open).gain : 1 / (grid.scale || 1),
    /** Whether what is drawn are differences of two traces. */
    difference: Boolean(source.payload.difference),
    /** What the two are called. */
    names: source.payload.names ?? NAMES,
    /** Whether it is something else than attention. */
    values: !isAttention(source.payload),
    signed: isSigned(source.payload),
    /** What thumbnails are made of. */
    plies: pliesOf(source.payload, grid.block),
    edgesOfCell,
    get edges() {
      const cells = drawn();
      return joinedEdges(
        cells,
        cells.map((c) => edgesOfCell(c).edges),
      );
    },
    /** Mass that is not among the edges, per drawn row, cell by cell. */
    get hidden() {
      return joined(
        Float32Array,
        drawn().map((c) => edgesOfCell(c).hidden),
      );
    },
  };
}

/**
 * What is drawn in a cell: all of its lines, or where it is opened, what is selected there.
 * @param {Source} source
 * @param {Grid} grid
 * @param {State} state
 * @param {Cell} cell
 * @param {boolean} open
 */
function cellEdges(source, { queries, keys, scale }, { query, key, also }, { layer, head }, open) {
  const weights = source.weights(layer);
  const heads = slotsOf(weights, [head]);
  if (!open) return edgesOf(weights, { heads, queries, keys, query: null, key: null, scale });
  const mass = startingMass(Math.max(queries.length, keys.length));
  return edgesOf(weights, { heads, queries, keys, query, key, also, boost: true, mass });
}

/**
 * An opened cell's lines, in the form that the head view's parts draw.
 * @param {Source} source
 * @param {ModelScene} scene
 * @param {State} state
 * @param {Cell} open
 * @param {Theme} theme
 */
export function openedPicture(source, scene, state, open, theme) {
  const { block, queries, keys, edgesOfCell } = scene;
  const { layer, head } = open;
  const weights = source.weights(layer);
  const edges = edgesOfCell(open);
  const heads = slotsOf(weights, [head]);
  return {
    ...{ block, weights, edges, heads, queries, keys },
    text: textsOf(block),
    missing: theme.muted,
    colors: slotColors({ heads, signs: edges.signs }, () => theme.head(head), theme),
    name: JSON.stringify([state.block, state.pair, layer.index, head]),
  };
}

/**
 * The edges of several cells as one list.
 * @param {Cell[]} cells
 * @param {ReturnType<typeof edgesOf>["edges"][]} parts
 */
function joinedEdges(cells, parts) {
  const layer = cells.map((c, i) => new Uint16Array(parts[i].head.length).fill(c.layer.index));
  return {
    layer: joined(Uint16Array, layer),
    head: joined(
      Uint16Array,
      parts.map((p) => p.head),
    ),
    query: joined(
      Uint32Array,
      parts.map((p) => p.query),
    ),
    key: joined(
      Uint32Array,
      parts.map((p) => p.key),
    ),
    weight: joined(
      Float32Array,
      parts.map((p) => p.weight),
    ),
    opacity: joined(
      Float32Array,
      parts.map((p) => p.opacity),
    ),
  };
}

/**
 * @template {Uint16Array | Uint32Array | Float32Array} T
 * @param {new (length: number) => T} Type
 * @param {T[]} parts
 */
function joined(Type, parts) {
  const all = new Type(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(/** @type {any} */ (part), at);
    at += part.length;
  }
  return all;
}
