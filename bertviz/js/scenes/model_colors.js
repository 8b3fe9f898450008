// What cells of the model view are colored with. A measure's color is full strength on a plain tile
// and paler behind a thumbnail, which must stay readable.

/** @typedef {import("../data/measures.js").Choice} Choice */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {import("./model_grid.js").Cell} Cell */
/** @typedef {Pick<import("./model.js").ModelScene, "choice" | "signed">} Colored */

const BEHIND = { weights: 0.65, differences: 0.3 }; // of a ramp's strength, under a thumbnail
const STOPS = [0, 0.25, 0.5, 0.75, 1];

/**
 * The color behind a cell.
 * @param {Colored} scene
 * @param {Cell} cell
 * @param {Theme} theme
 * @param {boolean} tiles
 */
export function groundOf(scene, { value, fraction }, theme, tiles) {
  if (!scene.choice || value === null) return theme.surface;
  return colorOf(scene.choice, fraction, theme, strengthOf(scene, tiles));
}

/**
 * The color of a cell's thumbnail, where it has one color.
 * @param {Colored} scene
 * @param {Cell} cell
 * @param {Theme} theme
 * @param {boolean} tiles
 */
export function inkOf(scene, cell, theme, tiles) {
  return scene.choice
    ? theme.inkOn(groundOf(scene, cell, theme, tiles))
    : theme.layer(cell.fraction);
}

/**
 * The legend's ramp.
 * @param {Colored} scene
 * @param {Choice} choice
 * @param {Theme} theme
 * @param {boolean} tiles
 */
export function measureRamp(scene, choice, theme, tiles) {
  const strength = strengthOf(scene, tiles);
  return STOPS.map((f) => colorOf(choice, choice.diverging ? 2 * f - 1 : f, theme, strength));
}

/**
 * @param {Colored} scene
 * @param {boolean} tiles
 */
function strengthOf({ signed }, tiles) {
  return tiles ? 1 : BEHIND[signed ? "differences" : "weights"];
}

/**
 * @param {Choice} choice
 * @param {number} fraction
 * @param {Theme} theme
 * @param {number} strength
 */
function colorOf({ diverging }, fraction, theme, strength) {
  const part = strength * fraction;
  return diverging ? theme.diverging(part) : theme.value(part);
}
