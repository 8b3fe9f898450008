// Which lines a picture has: weights, seen through what a reader has chosen.

import { keyCountOf } from "./regroup.js";

/** @typedef {import("./payload.js").Weights} Weights */
/** @typedef {ReturnType<typeof edgesOf>} Edges */

// Mass below this is the rounding of what is listed.
const SPREAD = 0.005;

/**
 * The edges of some heads of one layer, with what the reader has selected. Nothing is copied: the
 * weights stay where they were decoded, edge lists are made when somebody asks.
 * @param {Weights} weights
 * @param {object} options
 * @param {number[]} options.heads the model's numbers, those that are drawn
 * @param {Int32Array} options.queries positions, in the order of the rows
 * @param {Int32Array} options.keys
 * @param {number | null} options.query selected
 * @param {number | null} options.key selected
 * @param {number[]} [options.also] selected beside it, on the same side
 * @param {Int32Array | null} [options.among] what a row has on these keys is all it has: renormalised
 * @param {boolean} [options.boost] at rest, small differences are drawn stronger than they are
 * @param {number} [options.mass] at rest, only the strongest edges of each row until they hold this
 *   part of what it has on these keys
 */
export function edgesOf(weights, options) {
  const { heads, queries, keys, query, key, also = [], among = null } = options;
  const slots = heads.map((head) => weights.heads.indexOf(head));
  const selected = query !== null || key !== null;
  // What is selected is shown whole.
  const mass = selected ? 1 : (options.mass ?? 1);
  const signs = heads.map((head) => (head < 0 ? -1 : 1));
  // At rest lines overlap; the root keeps one head at full weight and twelve from becoming a blot.
  const gain = selected ? 1 : (options.boost ? boostOf(weights) : 1) / Math.sqrt(headCount(signs));
  const chosenQueries = query === null ? null : new Set([query, ...(key === null ? also : [])]);
  const chosenKeys = key === null ? null : new Set([key, ...(query === null ? also : [])]);
  const keyRow = rowsOf(keys, weights.keys);
  const amongRow = among && rowsOf(among, weights.keys);
  const factorOf = (/** @type {number} */ row) => {
    if (!among || !amongRow) return 1;
    const { listed, spread } = insideOf(weights, row, amongRow, among.length);
    return listed + spread > 0 ? 1 / (listed + spread) : 1;
  };
  const queryRows = Array.from(queries.keys()).filter((r) => chosenQueries?.has(queries[r]) ?? true);
  const cut = mass < 1 ? cutsOf(weights, mass, keys, keyRow) : null;

  /** @type {import("../paint/marks.js").EachEdge} */
  const each = (visit) => {
    slots.forEach((slot, i) => {
      for (const r of queryRows) {
        const row = slot * weights.queries + queries[r];
        const factor = factorOf(row);
        const least = cut ? cut.least[row] : 0;
        for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
          const k = weights.key[e];
          if (weights.weight[e] < least || keyRow[k] < 0 || (chosenKeys && !chosenKeys.has(k))) continue;
          visit(i, r, keyRow[k], weights.weight[e] * factor * gain);
        }
      }
    });
  };

  // Asked for several times a picture, so it is reckoned once.
  /** @type {[number, number, number][] | null} slot, row and mass */
  let spreads = null;
  const spreadsOf = () => {
    /** @type {[number, number, number][]} */
    const found = [];
    if (key !== null) return found; // of one key nothing is known
    slots.forEach((slot, i) => {
      for (const r of queryRows) {
        const row = slot * weights.queries + queries[r];
        if (weights.hidden[row] <= SPREAD) continue;
        const { spread } = insideOf(weights, row, keyRow, keys.length);
        found.push([i, r, spread * factorOf(row) * gain]);
      }
    });
    return found;
  };

  const scene = {
    gain,
    each,
    /** Of the drawn slots: −1 for what a has more, in a comparison; else 1. */
    signs,
    /** How many weights are listed in the drawn rows; those outside a filter count too. */
    get count() {
      let n = 0;
      for (const slot of slots) {
        for (const r of queryRows) {
          const row = slot * weights.queries + queries[r];
          n += cut ? cut.count[row] : weights.start[row + 1] - weights.start[row];
        }
      }
      return n;
    },
    /**
     * What the drawn rows do not list: it lies somewhere, so it is drawn everywhere.
     * @param {(slot: number, queryRow: number, mass: number) => void} visit mass with the gain
     */
    eachSpread(visit) {
      spreads ??= spreadsOf();
      for (const [slot, row, mass] of spreads) visit(slot, row, mass);
    },
    /** Edge lists, {head, query, key, weight, opacity}: typed arrays of equal length. */
    get edges() {
      let n = 0;
      each(() => n++);
      const edges = {
        head: new Uint16Array(n),
        query: new Uint32Array(n),
        key: new Uint32Array(n),
        weight: new Float32Array(n),
        opacity: new Float32Array(n),
      };
      let i = 0;
      each((slot, queryRow, keyRow, opacity) => {
        edges.head[i] = numberOf(heads[slot]);
        edges.query[i] = queries[queryRow];
        edges.key[i] = keys[keyRow];
        edges.weight[i] = (signs[slot] * opacity) / gain;
        edges.opacity[i] = Math.min(1, opacity);
        i++;
      });
      return edges;
    },
    /** The drawn rows, head by head: their numbers, and where their mass is. */
    get rows() {
      const n = slots.length * queryRows.length;
      const rows = {
        head: new Uint16Array(n),
        query: new Uint32Array(n),
        listed: new Float32Array(n),
        outside: new Float32Array(n), // listed, on keys that are not shown
        weaker: new Float32Array(n), // listed, but not among the strongest
        unlisted: new Float32Array(n),
      };
      let i = 0;
      slots.forEach((slot, s) => {
        for (const r of queryRows) {
          const row = slot * weights.queries + queries[r];
          const least = cut ? cut.least[row] : 0;
          rows.head[i] = numberOf(heads[s]);
          rows.query[i] = queries[r];
          let [listed, outside, weaker] = [0, 0, 0];
          for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
            const weight = weights.weight[e];
            if (keyRow[weights.key[e]] < 0) outside += weight;
            else if (weight < least) weaker += weight;
            else listed += weight;
          }
          rows.listed[i] = listed;
          rows.outside[i] = outside;
          rows.weaker[i] = weaker;
          rows.unlisted[i++] = weights.hidden[row];
        }
      });
      return rows;
    },
    /**
     * Mass that is not among the edges, per drawn row: listed + hidden = the row's sum, before any
     * renormalising.
     */
    get hidden() {
      const { outside, weaker, unlisted } = scene.rows;
      return outside.map((mass, i) => mass + weaker[i] + unlisted[i]);
    },
  };
  return scene;
}

/** How many heads are drawn: of differences each has two slots. @param {number[]} signs */
export const headCount = (signs) => signs.filter((sign) => sign > 0).length;

const BOOST = 10;

/**
 * How much stronger differences are drawn: the largest of a layer at full strength, unless all are
 * tiny.
 * @param {Weights} weights
 */
function boostOf(weights) {
  if (!weights.heads.some((head) => head < 0)) return 1;
  let most = 1 / BOOST;
  for (const weight of weights.weight) if (weight > most) most = weight;
  return 1 / most;
}

/** The model's number of a head, whichever of its slots it is. @param {number} head */
const numberOf = (head) => (head < 0 ? ~head : head);

/**
 * The slots that some heads are drawn as: of differences two for each.
 * @param {Weights} weights
 * @param {number[]} heads
 */
export function slotsOf(weights, heads) {
  return weights.heads.some((head) => head < 0) ? heads.flatMap((head) => [head, ~head]) : heads;
}

/**
 * @typedef {object} Cuts how much of each row is drawn, when that is a part of it
 * @property {string} name
 * @property {Float32Array} least weight that is drawn
 * @property {Uint32Array} count of weights that are drawn
 */

/** @type {WeakMap<Weights, Cuts>} the last ones */
const cuts = new WeakMap();

/**
 * @param {Weights} weights
 * @param {number} mass
 * @param {Int32Array} keys those that are shown
 * @param {Int32Array} keyRow
 * @returns {Cuts}
 */
function cutsOf(weights, mass, keys, keyRow) {
  const all = keys.length === weights.keys;
  const name = `${mass} ${all ? "all" : keys}`;
  let found = cuts.get(weights);
  if (found?.name === name) return found;
  const { start, key, weight, hidden } = weights;
  const rows = hidden.length;
  found = { name, least: new Float32Array(rows), count: new Uint32Array(rows) };
  for (let row = 0; row < rows; row++) {
    const first = start[row];
    const own = weight.slice(first, start[row + 1]);
    const sorted = (all ? own : own.filter((_, i) => keyRow[key[first + i]] >= 0)).sort();
    const { listed, spread } = insideOf(weights, row, keyRow, keys.length);
    const wanted = mass * (listed + spread);
    let sum = 0;
    let i = sorted.length;
    while (i > 0 && sum < wanted - 1e-6) sum += sorted[--i];
    while (i > 0 && sorted[i - 1] === sorted[i]) sum += sorted[--i]; // equal ones are drawn alike
    found.least[row] = sorted[i] ?? 0;
    found.count[row] = sorted.length - i;
  }
  cuts.set(weights, found);
  return found;
}

/**
 * The mass of a row on some keys: what is listed there, and their part of what is not.
 * @param {Weights} weights
 * @param {number} row
 * @param {Int32Array} keyRow -1 for other keys
 * @param {number} count of these keys
 */
function insideOf(weights, row, keyRow, count) {
  const [from, to] = [weights.start[row], weights.start[row + 1]];
  let listed = 0;
  let entries = 0;
  for (let e = from; e < to; e++) {
    if (keyRow[weights.key[e]] < 0) continue;
    listed += weights.weight[e];
    entries++;
  }
  const rest = keyCountOf(weights) - (to - from);
  return { listed, spread: rest > 0 ? (weights.hidden[row] * (count - entries)) / rest : 0 };
}

/**
 * @param {Int32Array} positions
 * @param {number} count
 */
function rowsOf(positions, count) {
  const rows = new Int32Array(count).fill(-1);
  positions.forEach((position, row) => {
    rows[position] = row;
  });
  return rows;
}

/**
 * The tokens of one side that are selected.
 * @param {{query: number | null, key: number | null, also?: number[]}} state
 * @param {"query" | "key"} side
 */
export function chosenOf({ query, key, also = [] }, side) {
  const one = side === "query" ? query : key;
  return one === null ? [] : [one, ...also];
}

/**
 * Per drawn head and row of one side, the mean weight over the selected tokens of the other.
 * @param {Edges} edges
 * @param {number} heads
 * @param {"query" | "key"} side
 * @param {number} rows
 * @param {number} [selected] how many tokens
 * @returns {Float32Array} (heads, rows)
 */
export function boxesOf(edges, heads, side, rows, selected = 1) {
  const boxes = new Float32Array(heads * rows);
  edges.each((slot, queryRow, keyRow, opacity) => {
    boxes[slot * rows + (side === "key" ? keyRow : queryRow)] += opacity / edges.gain / selected;
  });
  return boxes;
}

/**
 * Per row, the mean of boxes over the heads.
 * @param {Float32Array} boxes (slots, rows)
 * @param {number[]} signs of the slots
 */
export function meansOf(boxes, signs) {
  const means = new Float64Array(boxes.length / signs.length);
  const heads = headCount(signs);
  boxes.forEach((value, i) => {
    means[i % means.length] += (signs[Math.floor(i / means.length)] * value) / heads;
  });
  return means;
}

/**
 * What the drawn rows leave out, each a mean over them.
 * @param {Edges} edges
 */
export function meanHidden(edges) {
  const { outside, weaker, unlisted } = edges.rows;
  const perRow = edges.signs.length / headCount(edges.signs);
  const mean = (/** @type {Float32Array} */ values) =>
    (perRow * values.reduce((sum, value) => sum + value, 0)) / Math.max(1, values.length);
  return { outside: mean(outside), weaker: mean(weaker), unlisted: mean(unlisted) };
}

/**
 * One weight per drawn head, of differences with its sign; null where it is too small to be listed.
 * @param {{weights: Weights, heads: number[]}} picture
 * @param {number} query
 * @param {number} key
 */
export function weightsAt({ weights, heads }, query, key) {
  /** @param {number} head */
  const listed = (head) => {
    const row = weights.heads.indexOf(head) * weights.queries + query;
    for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
      if (weights.key[e] === key) return weights.weight[e];
    }
    return weights.hidden[row] < 0.0005 ? 0 : null;
  };
  return heads
    .filter((head) => head >= 0)
    .map((head) => {
      const more = listed(head);
      const less = heads.includes(~head) ? listed(~head) : 0;
      // One of the two is zero, whatever is known of the other.
      return { head, weight: more ? more : less ? -less : more === null || less === null ? null : 0 };
    });
}
