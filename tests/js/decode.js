// Reads a payload from standard input and writes what the page makes of it: dense weights and
// hidden mass, or scores and weights from queries and keys. tests/test_payload.py compares.

import { text } from "node:stream/consumers";
import { attend, attendAll } from "../../bertviz/js/data/attention.js";
import { isMissing } from "../../bertviz/js/data/missing.js";
import { Source } from "../../bertviz/js/data/payload.js";
import { headWeights } from "../../bertviz/js/data/head_weights.js";
import { changed } from "../../bertviz/js/data/what_if.js";

const payload = JSON.parse(await text(process.stdin));
const source = new Source(payload);
const blocks = [];
for (const block of payload.blocks) {
  const what = payload.view === "neuron" ? "neurons" : "weights";
  await source.ensure(block, block.layers, what);
  blocks.push(
    block.layers.map((layer) => (what === "weights" ? weightsOf(layer) : neuronsOf(layer))),
  );
}
// −∞ has no place in JSON.
process.stdout.write(JSON.stringify(blocks, (_, x) => (x === -Infinity ? "-inf" : x)));

function weightsOf(layer) {
  const weights = source.weights(layer);
  const { heads, queries, keys, start, key, weight, hidden, scale } = weights;
  const rows = heads.length * queries; // of a comparison every head has two slots
  const dense = Array.from({ length: rows }, (_, row) => {
    const values = new Array(keys).fill(0);
    for (let e = start[row]; e < start[row + 1]; e++) values[key[e]] = weight[e];
    return values;
  });
  const found = { dense, hidden: Array.from(hidden) };
  if (scale === undefined) return found;
  const missing = layer.heads.flatMap((_, slot) =>
    Array.from({ length: queries * keys }, (_, i) =>
      Number(isMissing(weights, slot, Math.floor(i / keys), i % keys)),
    ),
  );
  return { ...found, scale, missing };
}

function neuronsOf(layer) {
  const neurons = source.neurons(layer);
  return neurons.heads.map((head, slot) => {
    const rows = Array.from({ length: neurons.queryCount }, (_, q) => attend(neurons, slot, q));
    const closed = headWeights(neurons, head);
    return {
      weights: rows.map((row) => Array.from(row.weights)),
      scores: rows.map((row) => Array.from(row.scores)),
      sums: rows.map((row) => Array.from(row.sums)),
      whatIf: rows.map((row, q) =>
        Array.from(changed(neurons, slot, q, row, { off: [0, 2] }).weights),
      ),
      all: Array.from(attendAll(neurons, slot)),
      listed: Array.from(closed.weight).reduce((a, b) => a + b, 0),
      hidden: Array.from(closed.hidden).reduce((a, b) => a + b, 0),
    };
  });
}
