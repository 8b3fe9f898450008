// Beside the rows of tokens: a column for each head, with a bar and its number for every token, and
// their mean. Here is what stands where; a page and an exported figure are two ways to draw it.

import { headCount } from "../data/differences.js";
import { writersOf } from "../data/formats.js";
import { SEVERAL } from "../data/regroup.js";

/** @typedef {import("../scenes/picture.js").Picture} Picture */
/** @typedef {import("../scenes/shown_row.js").ShownRow} ShownRow */
/**
 * One column.
 * @typedef {object} BarColumn
 * @property {number | "mean"} head
 * @property {number} slot of its values; of a head with two the first. -1 is the mean
 * @property {string} name
 * @property {string | null} color null for ink
 * @property {number} x
 */
/** @typedef {ReturnType<typeof barsOf>} Bars */
/**
 * @typedef {object} Bar
 * @property {number | "mean"} head
 * @property {number} r row
 * @property {number} value
 * @property {number} x
 * @property {number} width of the bar, not of its column
 * @property {string | null} color
 * @property {string} text
 * @property {number} textX
 */

const BESIDE = 32; // least length of a bar with a number beside it
const SHORT = 8; // letters of both names that have room above a column
const SMALL = 29; // a number above a thin bar
const LEAST = 20; // as wide as the number of its head, of which some have two digits
const LEAST_OF_TWO = 24;
const MEAN = 14; // more than a head's column, for its name
const APART = 6; // the mean from the heads
const ALONE = 150; // where there is one head
const MOST_FULL = 6;
const MOST_SMALL = 12;
const GAP = 6;
const EVEN = 0.1; // below, bars are drawn to the largest

/**
 * Width of a number beside its bar.
 * @param {Picture["edges"]} edges
 */
const numberWidth = ({ scale, signs }) => (scale !== undefined ? 48 : signs.includes(-1) ? 34 : 28);

/** A bar with its number beside it. @param {Picture["edges"]} edges */
const fullStep = (edges) => BESIDE + numberWidth(edges) + GAP;

/**
 * The width that the columns would like to have.
 * @param {Picture["edges"]} edges
 */
export function barsWidth(edges) {
  const heads = headCount(edges.signs);
  if (heads === 1) return ALONE;
  if (heads > MOST_FULL && heads <= MOST_SMALL) return (heads + 1) * SMALL;
  return (Math.min(heads, MOST_FULL) + 1) * fullStep(edges);
}

/**
 * @param {Picture} picture
 * @param {ShownRow} row
 * @param {number} x
 * @param {number} width
 */
export function barsOf(picture, row, x, width) {
  const { edges, heads, colors } = picture;
  const { signs, scale } = edges;
  const signed = signs.includes(-1);
  const count = headCount(signs);
  const slots = heads.flatMap((_, slot) => (signs[slot] > 0 ? [slot] : []));
  const most = count <= MOST_SMALL ? count : MOST_FULL;
  const least = heads.some((head) => head > 9) ? LEAST_OF_TWO : LEAST;
  const fitting = Math.max(0, Math.min(most, Math.floor((width - MEAN) / least) - 1));
  const shown = count === 1 ? slots : strongest(row, slots, signed, fitting);
  const columnCount = shown.length + (count > 1 ? 1 : 0);
  const step = Math.min(count === 1 ? ALONE : fullStep(edges), (width - MEAN) / columnCount);
  /** @type {BarColumn[]} */
  const columns = shown.map((slot, i) => ({
    ...{ head: heads[slot], slot, x: x + i * step },
    name: count === 1 ? nameOf(heads[slot], edges) : String(heads[slot]),
    color: signed ? null : colors[slot],
  }));
  if (count > 1) {
    const end = x + shown.length * step + APART;
    columns.push({ head: "mean", slot: -1, x: end, name: "mean", color: null });
  }
  const { largest, chosen } = row;
  // Means of all rows are small, and nothing is to be read from most of them.
  const small = chosen.length > 0 && largest < EVEN;
  return {
    columns,
    step,
    /** Whether a number stands beside its bar, and not above it. */
    beside: step >= fullStep(edges) - 8,
    signed,
    /** Whether heads were left out, the weakest. */
    some: shown.length < count,
    /** The number that a full bar stands for. */
    full: scale === undefined && !signed && !small ? 1 : largest || 1,
  };
}

/**
 * What stands above the only column.
 * @param {number} head
 * @param {Picture["edges"]} edges
 */
function nameOf(head, { scale, signs, names: [a, b] }) {
  if (scale !== undefined) return "value";
  if (signs.includes(-1)) return a.length + b.length > SHORT ? "difference" : `${b} − ${a}`;
  return head === SEVERAL ? "weight" : String(head);
}

/**
 * The heads with the largest numbers, in their order.
 * @param {ShownRow} row
 * @param {number[]} slots
 * @param {boolean} signed
 * @param {number} count
 */
function strongest({ values, positions }, slots, signed, count) {
  if (slots.length <= count) return slots;
  const rows = positions.length;
  /** @param {number} slot */
  const most = (slot) => {
    let largest = 0;
    for (let i = slot * rows; i < (slot + (signed ? 2 : 1)) * rows; i++) {
      if (values[i] > largest) largest = values[i];
    }
    return largest;
  };
  const sizes = new Map(slots.map((slot) => [slot, most(slot)]));
  const size = (/** @type {number} */ slot) => sizes.get(slot) ?? 0;
  const kept = [...slots].sort((a, b) => size(b) - size(a)).slice(0, count);
  return kept.sort((a, b) => a - b);
}

/**
 * The bars of some rows; those too short to be seen are left out, what is missing is not.
 * @param {{bars: Bars, row: ShownRow, edges: Picture["edges"]}} plot
 * @param {[number, number]} rows
 * @returns {Bar[]}
 */
export function barsIn({ bars, row, edges }, [from, to]) {
  const { step, beside, full, signed, columns } = bars;
  const write = writersOf(edges);
  const room = step - GAP - (beside ? numberWidth(edges) : 0);
  const unit = (signed ? room / 2 : room) / full;
  const least = (beside ? 0.01 : 0.02) * full; // below, nothing is to be seen
  const found = [];
  for (const { head, slot, x, color } of columns) {
    const zero = signed ? x + room / 2 : x;
    for (let r = from; r < to; r++) {
      const value = valueAt(row, slot, r, signed);
      const size = Math.abs(value);
      if (size < least) continue;
      const width = Number.isNaN(value) ? 0 : Math.max(1, Math.min(size, full) * unit);
      found.push({
        ...{ head, r, value, width, color },
        x: value < 0 ? zero - width : zero,
        text: size < (beside ? 0 : 0.095 * full) ? "" : short(write.short(value), beside),
        textX: beside ? (signed ? x + room : Math.max(x, zero + width)) + 4 : x,
      });
    }
  }
  return found;
}

/**
 * Heads have their colors, what has a sign the color of its sign, means are muted.
 * @param {Bar} bar
 * @param {Bars} bars
 * @param {import("../theme/colors.js").Theme} theme
 */
export function barColor({ value, color }, { signed }, theme) {
  if (signed) return value < 0 ? theme.negative : theme.positive;
  return color ?? theme.muted;
}

/**
 * Where there is little room a number has no zero in front.
 * @param {string} text
 * @param {boolean} beside
 */
function short(text, beside) {
  if (beside) return text;
  return text === "missing" ? "–" : text.replace(/^([+\u2212]?)0(?=\.)/, "$1");
}

/**
 * @param {ShownRow} row
 * @param {number} slot
 * @param {number} r
 * @param {boolean} signed
 */
function valueAt({ values, means, positions }, slot, r, signed) {
  if (slot < 0) return means[r];
  const value = values[slot * positions.length + r];
  return signed ? value - values[(slot + 1) * positions.length + r] : value;
}
