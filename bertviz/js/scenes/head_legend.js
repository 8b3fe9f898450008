// What colors and opacity of the head view mean, and what its picture leaves out.

import { shortWeight } from "../data/formats.js";
import { differenceLegend, massNote, minus, rampOfLines, shownPart } from "./legends.js";
import { headValueLegend } from "./value_legend.js";

/** @typedef {import("../data/edges.js").Edges} Edges */
/** @typedef {import("../state.js").State} State */
/** @typedef {{max: number, root: boolean, color: string}} MatrixScale what a full cell stands for */

/**
 * @param {Edges} edges those of nothing selected, for a matrix
 * @param {State} state
 * @param {MatrixScale} [scale] of a matrix
 * @returns {import("./legends.js").Legend}
 */
export function headLegend(edges, state, scale) {
  const chosen = scale ? { ...state, query: null, key: null } : state;
  if (edges.scale !== undefined) return headValueLegend(edges, chosen, scale);
  const note = massNote(edges, chosen);
  if (edges.signs.includes(-1)) {
    return { ...differenceLegend(fullStrength(edges, scale), edges.names), note };
  }
  return { ...(scale ? matrixRamp(state, scale) : linesRamp(edges, state)), note };
}

/**
 * @param {Edges} edges
 * @param {MatrixScale} [scale]
 */
function fullStrength({ gain, names }, scale) {
  if (scale) return `${rootSign(scale)}full strength: ${shortWeight(scale.max)}`;
  return `opacity: |${minus(names)}|${gain === 1 ? "" : ` · ${shortWeight(gain)}`}`;
}

/**
 * @param {State} state
 * @param {MatrixScale} scale
 */
function matrixRamp(state, scale) {
  const { combine = "each", heads } = state;
  const kind =
    heads.length === 1 || combine === "each"
      ? "weight"
      : { mean: "mean weight", sum: "sum of weights" }[combine];
  return {
    legend: listed(`${rootSign(scale)}${kind}`, whole(state)),
    largest: shortWeight(scale.max),
    colors: ["transparent", scale.color],
  };
}

/**
 * @param {Edges} edges
 * @param {State} state
 */
function linesRamp(edges, state) {
  const { combine = "each" } = state;
  const kind = combine === "each" ? "weight" : `${combine} of ${state.heads.length} heads`;
  const ramp = rampOfLines(edges);
  const more = combine === "sum" && edges.top === 1 ? { largest: "1 or more" } : {};
  return { legend: listed(kind, whole(state)), ...ramp, ...more };
}

/** @param {MatrixScale} scale */
const rootSign = ({ root }) => (root ? "√ " : "");

/** @param {State} state */
const whole = (state) => (state.renormalize ? `renormalized over ${shownPart(state)}` : "");

/** @param {string[]} parts */
const listed = (...parts) => parts.filter(Boolean).join(", ");
