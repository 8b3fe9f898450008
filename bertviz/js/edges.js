// Which lines a picture has: weights, seen through what a reader has chosen.

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
 * @param {Int32Array | null} [options.among] what a row has on these keys is all it has: renormalised
 */
export function edgesOf(weights, { heads, queries, keys, query, key, among = null }) {
  const slots = heads.map((head) => weights.heads.indexOf(head));
  const selected = query !== null || key !== null;
  // At rest lines overlap; the root keeps one head at full weight and twelve from becoming a blot.
  const gain = selected ? 1 : 1 / Math.sqrt(heads.length);
  const keyRow = rowsOf(keys, weights.keys);
  const amongRow = among && rowsOf(among, weights.keys);
  const factorOf = (/** @type {number} */ row) => {
    if (!among || !amongRow) return 1;
    const { listed, spread } = insideOf(weights, row, amongRow, among.length);
    return listed + spread > 0 ? 1 / (listed + spread) : 1;
  };
  const queryRows = Array.from(queries.keys()).filter((r) => query === null || queries[r] === query);

  /** @type {import("./marks.js").EachEdge} */
  const each = (visit) => {
    slots.forEach((slot, i) => {
      for (const r of queryRows) {
        const row = slot * weights.queries + queries[r];
        const factor = factorOf(row);
        for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
          const k = weights.key[e];
          if (keyRow[k] < 0 || (key !== null && k !== key)) continue;
          visit(i, r, keyRow[k], weights.weight[e] * factor * gain);
        }
      }
    });
  };

  const scene = {
    gain,
    each,
    /** How many weights are listed in the drawn rows; those outside a filter count too. */
    get count() {
      let n = 0;
      for (const slot of slots) {
        for (const r of queryRows) {
          const row = slot * weights.queries + queries[r];
          n += weights.start[row + 1] - weights.start[row];
        }
      }
      return n;
    },
    /**
     * What the drawn rows do not list: it lies somewhere, so it is drawn everywhere.
     * @param {(slot: number, queryRow: number, mass: number) => void} visit mass with the gain
     */
    eachSpread(visit) {
      if (key !== null) return; // of one key nothing is known
      slots.forEach((slot, i) => {
        for (const r of queryRows) {
          const row = slot * weights.queries + queries[r];
          if (weights.hidden[row] <= SPREAD) continue;
          const { spread } = insideOf(weights, row, keyRow, keys.length);
          visit(i, r, spread * factorOf(row) * gain);
        }
      });
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
        edges.head[i] = heads[slot];
        edges.query[i] = queries[queryRow];
        edges.key[i] = keys[keyRow];
        edges.weight[i] = opacity / gain;
        edges.opacity[i] = Math.min(1, opacity);
        i++;
      });
      return edges;
    },
    /** The drawn rows, head by head: their numbers, and their mass inside the drawn keys. */
    get rows() {
      const n = slots.length * queryRows.length;
      const rows = {
        head: new Uint16Array(n),
        query: new Uint32Array(n),
        listed: new Float32Array(n),
        outside: new Float32Array(n),
        unlisted: new Float32Array(n),
      };
      let i = 0;
      slots.forEach((slot, s) => {
        for (const r of queryRows) {
          const row = slot * weights.queries + queries[r];
          rows.head[i] = heads[s];
          rows.query[i] = queries[r];
          for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
            rows[keyRow[weights.key[e]] < 0 ? "outside" : "listed"][i] += weights.weight[e];
          }
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
      const { outside, unlisted } = scene.rows;
      return outside.map((mass, i) => mass + unlisted[i]);
    },
  };
  return scene;
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
  const rest = weights.keys - (to - from);
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
 * Per row of one side, the mean weight over the drawn heads.
 * @param {Edges} edges
 * @param {number} heads
 * @param {"query" | "key"} side
 * @param {number} rows
 */
export function meansOf(edges, heads, side, rows) {
  const means = new Float64Array(rows);
  edges.each((_, queryRow, keyRow, opacity) => {
    means[side === "key" ? keyRow : queryRow] += opacity / edges.gain / heads;
  });
  return means;
}

/**
 * What the drawn rows leave out, each a mean over them.
 * @param {Edges} edges
 */
export function meanHidden(edges) {
  const { outside, unlisted } = edges.rows;
  const mean = (/** @type {Float32Array} */ values) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return { outside: mean(outside), unlisted: mean(unlisted) };
}

/**
 * One weight per drawn head; null where it is too small to be listed.
 * @param {{weights: Weights, heads: number[]}} picture
 * @param {number} query
 * @param {number} key
 */
export function weightsAt({ weights, heads }, query, key) {
  return heads.map((head) => {
    const row = weights.heads.indexOf(head) * weights.queries + query;
    for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
      if (weights.key[e] === key) return { head, weight: weights.weight[e] };
    }
    return { head, weight: weights.hidden[row] < 0.0005 ? 0 : null };
  });
}
