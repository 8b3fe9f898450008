// Where the cells of the model view stand, and how large they are. The grid fits into the width and
// about a screen's height as long as its cells can be told apart; beyond that it scrolls.

import { barOf, groundOf } from "../scenes/model_colors.js";
import { formOf } from "./thumbnails.js";
import { labeled, ROUND_STEPS } from "./ticks.js";

/** @typedef {import("../scenes/model.js").ModelScene} ModelScene */
/** @typedef {import("../scenes/model_grid.js").Cell} Cell */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/**
 * @typedef {object} Layout
 * @property {boolean} beside whether there is room for an open cell beside the grid
 * @property {number} rows
 * @property {number} columns
 * @property {number} pitch from a cell to the next
 * @property {number} inner size of a cell
 * @property {number} pad around its thumbnail
 * @property {number} lift of the thumbnail, above a bar
 * @property {number} radius of its corners
 * @property {boolean} tiles whether cells are plain colors, for want of room
 * @property {import("./thumbnails.js").Form} form of thumbnails
 */
/**
 * What one cell looks like.
 * @typedef {object} CellLook
 * @property {string} ground
 * @property {{ply: import("./thumbnails.js").Ply, color: string}[]} thumbnails on top of each other;
 *   none on a tile
 * @property {import("../scenes/model_colors.js").ScoreBar | null} bar of its number
 * @property {boolean} missing whether a dash says that there is no number
 * @property {string} label
 */

const DETAIL = 400; // least width of the opened cell beside the grid
const WIDEST_DETAIL = 560;
export const GAP = 24;
export const LABELS = { left: 54, top: 40 };
const TALL = 880; // a screen's height, about
const CELL = {
  tile: 10,
  thumbnail: 16,
  least: 18,
  clear: 24,
  roomy: 44,
  comfortable: 88,
  most: 148,
};
const FEW = 12; // cells that may be larger than comfortable
const LABELED = 40; // a cell of this pitch has room for its own numbers
const ROOM = { across: 16, down: 13 }; // that a number takes
const LETTER = 5; // width of a letter on a cell

/**
 * @param {ModelScene} scene
 * @param {number} width CSS pixels
 * @returns {Layout}
 */
export function layoutOf(scene, width) {
  const { heads, cells, block, dense, sorted, queries, keys, choice, difference, values } = scene;
  const columns = heads.length;
  const rows = sorted ? Math.ceil(cells.length / columns) : block.layers.length;
  const { pitch, beside } = pitchFor(rows, columns, dense, width);
  const inner = pitch - Math.max(1, Math.round(pitch * 0.11));
  const pad = inner < CELL.clear ? 1 : Math.round(inner * 0.08);
  const tiles = choice !== null && (dense || inner < CELL.thumbnail);
  return {
    ...{ beside, rows, columns, pitch, inner, pad, tiles },
    lift: choice && !tiles ? liftFor(inner, pad) : 0,
    radius: Math.min(6, inner / 8),
    // Lines of small differences would not be seen; a matrix shows the root.
    form:
      difference || values
        ? "matrix"
        : formOf(inner - 2 * pad, Math.max(queries.length, keys.length)),
  };
}

/**
 * @param {number} rows
 * @param {number} columns
 * @param {boolean} dense
 * @param {number} width
 */
function pitchFor(rows, columns, dense, width) {
  const least = dense ? CELL.tile : CELL.least;
  const most = columns * rows <= FEW ? CELL.most : CELL.comfortable;
  /** @param {number} room */
  const pitchIn = (room) => {
    const across = Math.floor((room - LABELS.left) / columns);
    let down = Math.floor(TALL / rows);
    // What has to scroll anyway need not be small.
    if (!dense && down < CELL.clear) down = CELL.roomy;
    return { pitch: Math.min(most, Math.max(least, Math.min(across, down))), across };
  };
  const whole = pitchIn(width);
  const part = pitchIn(width - DETAIL - GAP);
  // Room for an open cell is kept beside the grid where there is some, so nothing moves.
  const beside =
    part.across >= part.pitch &&
    part.pitch >= Math.min(CELL.roomy, 0.6 * whole.pitch) &&
    width - DETAIL - GAP - LABELS.left >= 240;
  return { pitch: beside ? part.pitch : whole.pitch, beside };
}

/**
 * Width of the opened cell beside the grid: more than it has to have, where there is more.
 * @param {Layout} layout
 * @param {number} width of the view
 */
export const detailWidth = (layout, width) =>
  Math.min(WIDEST_DETAIL, Math.max(DETAIL, width - gridWidth(layout) - GAP));

/** @param {Layout} layout */
export const gridWidth = ({ pitch, columns }) => LABELS.left + pitch * columns;

/**
 * The numbers of heads and layers; sorted cells have none.
 * @param {ModelScene} scene
 * @param {Layout} layout
 */
export function labelsOf({ heads, block, sorted }, { pitch }) {
  /** @param {number[]} numbers @param {number} room */
  const some = (numbers, room) =>
    labeled(numbers.length, pitch, room, ROUND_STEPS).map((i) => ({ i, text: String(numbers[i]) }));
  if (sorted) return { across: [], down: [] };
  return {
    across: some(heads, ROOM.across),
    down: some(
      block.layers.map((layer) => layer.index),
      ROOM.down,
    ),
  };
}

/**
 * What is written on a cell: where sorting has moved it from, else its label, if that has room.
 * @param {ModelScene} scene
 * @param {Layout} layout
 * @param {Cell} cell
 */
export function labelOf({ sorted }, { pitch, inner, tiles }, { layer, head, label }) {
  if (sorted) return pitch >= LABELED ? `${layer.index}·${head}` : "";
  const fits = (/** @type {string} */ text) => !tiles && text.length * LETTER <= inner - 6;
  return [label, label.replace(/ token$/, "")].find(fits) ?? "";
}

/**
 * Where the bar of a cell is, below its thumbnail.
 * @param {Pick<Layout, "inner" | "pad">} layout
 */
export function barBox({ inner, pad }) {
  const height = inner >= CELL.roomy ? 4 : inner >= CELL.clear ? 3 : 2;
  const below = inner >= CELL.roomy ? 2 : 0;
  return { x: pad, y: inner - height - below, width: inner - 2 * pad, height };
}

/**
 * How far a thumbnail moves up to make room for a bar.
 * @param {number} inner
 * @param {number} pad
 */
function liftFor(inner, pad) {
  const wanted = inner - barBox({ inner, pad }).y + 1;
  return Math.max(0, Math.min(pad - 1, wanted - pad));
}

/**
 * @param {ModelScene} scene
 * @param {Layout} layout
 * @param {Cell} cell
 * @param {Theme} theme
 * @returns {CellLook}
 */
export function lookOf(scene, layout, cell, theme) {
  const { tiles } = layout;
  return {
    ground: groundOf(scene, cell, theme, tiles),
    thumbnails: tiles ? [] : thumbnailsOf(scene, cell, theme),
    bar: tiles ? null : barOf(scene, cell, theme),
    missing: scene.choice !== null && cell.value === null,
    label: labelOf(scene, layout, cell),
  };
}

/**
 * Numbers with signs have two thumbnails: what is positive, or more in b, and above it what is
 * negative, or more in a; what is missing lies on top.
 * @param {ModelScene} scene
 * @param {Cell} cell
 * @param {Theme} theme
 * @returns {CellLook["thumbnails"]}
 */
function thumbnailsOf(scene, cell, theme) {
  const own = scene.signed ? theme.positive : theme.layer(scene.depthOf(cell.layer));
  const colors = { own, less: theme.negative, missing: theme.muted };
  return scene.plies.map((ply) => ({ ply, color: colors[ply] }));
}
