// What tells the numbers of cells in the model view: the color of a plain tile, or where there is room
// for a thumbnail, a bar below it.

/** @typedef {import("../data/measures.js").Choice} Choice */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {import("./model_grid.js").Cell} Cell */
/** @typedef {Pick<import("./model.js").ModelScene, "choice">} Colored */
/**
 * A bar, in parts of the room that it has.
 * @typedef {object} ScoreBar
 * @property {number} from
 * @property {number} to
 * @property {string} color
 * @property {string} track
 * @property {{at: number, color: string} | null} chance where the number would be by chance
 */

const STOPS = [0, 0.25, 0.5, 0.75, 1];

/**
 * The color behind a cell.
 * @param {Colored} scene
 * @param {Cell} cell
 * @param {Theme} theme
 * @param {boolean} tiles
 */
export function groundOf({ choice }, { value, fraction }, theme, tiles) {
  return tiles && choice && value !== null ? colorOf(choice, fraction, theme) : theme.surface;
}

/**
 * @param {Pick<import("./model.js").ModelScene, "choice" | "barRange">} scene
 * @param {Cell} cell
 * @param {Theme} theme
 * @returns {ScoreBar | null} null without a number
 */
export function barOf({ choice, barRange }, { value, chance }, theme) {
  if (!choice || !barRange || value === null) return null;
  const [least, most] = barRange;
  const span = most - least || 1;
  const place = (/** @type {number} */ number) => Math.min(1, Math.max(0, (number - least) / span));
  const [zero, end] = [place(0), place(value)];
  const signed = value < 0 ? theme.negative : theme.positive;
  return {
    from: Math.min(zero, end),
    to: Math.max(zero, end),
    color: choice.diverging ? signed : theme.accent,
    track: theme.hairline,
    chance: chance === null ? null : { at: place(chance), color: theme.ink },
  };
}

/**
 * The legend's ramp of tiles.
 * @param {Choice} choice
 * @param {Theme} theme
 */
export function measureRamp(choice, theme) {
  return STOPS.map((f) => colorOf(choice, choice.diverging ? 2 * f - 1 : f, theme));
}

/**
 * @param {Choice} choice
 * @param {number} fraction
 * @param {Theme} theme
 */
function colorOf({ diverging }, fraction, theme) {
  return diverging ? theme.diverging(fraction) : theme.value(fraction);
}
