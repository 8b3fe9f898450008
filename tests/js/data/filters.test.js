import assert from "node:assert/strict";
import { test } from "node:test";
import { isFiltered, pairsOf, positionsOf } from "../../../bertviz/js/data/filters.js";
import { keyCountOf, regrouped, textOf, wordStarts } from "../../../bertviz/js/data/regroup.js";
import { isOfItsKind } from "../../../bertviz/js/data/state_values.js";
import { tokens, weightsOf } from "../fixtures.js";

const TWO = [0, 0, 0, 1, 1];
const WORDS = { of: [0, 0, 1, 2, 2], text: ["ab", "c", "de"] };
/** @param {object} query @param {object | null} key @param {string} [kind] */
const blockOf = (query, key, kind = "encoder") =>
  /** @type {any} */ ({ name: kind, kind, query, key, layers: [] });
const pair = tokens([..."abcde"], TWO);
const wordy = { ...tokens([..."abcde"]), words: WORDS };

test("pairs are offered where both sides know their sentences, and have them", () => {
  const all = ["All", "A→A", "B→B", "A→B", "B→A"];
  assert.deepEqual(pairsOf(blockOf(pair, null)), all);
  const one = tokens([..."abc"]);
  assert.deepEqual(pairsOf(blockOf(one, null)), ["All"]);
  assert.deepEqual(pairsOf(blockOf(pair, one)), ["All"]);
  assert.deepEqual(pairsOf(blockOf(one, pair)), ["All"]);
  const first = tokens(["a"], [0]);
  assert.deepEqual(pairsOf(blockOf(first, pair)), ["All", "A→A", "A→B"]);
  assert.deepEqual(pairsOf(blockOf(pair, first)), ["All", "A→A", "B→A"]);
});

test("filters keep the positions of their side, words stand at their first token", () => {
  const block = blockOf({ ...pair, words: WORDS, special: [0, 4] }, null);
  /** @param {"query" | "key"} side @param {any} state */
  const kept = (side, state) => Array.from(positionsOf(block, side, { pair: "All", ...state }));
  assert.deepEqual(kept("query", { pair: "A→B" }), [0, 1, 2]);
  assert.deepEqual(kept("key", { pair: "A→B" }), [3, 4]);
  assert.deepEqual(kept("key", { pair: "none such" }), [0, 1, 2, 3, 4]);
  assert.deepEqual(kept("query", { hide: "special" }), [1, 2, 3]);
  assert.deepEqual(kept("query", { hide: "first" }), [1, 2, 3, 4]);
  assert.deepEqual(kept("query", { words: true }), [0, 2, 3]);
  assert.deepEqual(kept("query", { words: true, hide: "first", pair: "A→A" }), [2]);
  const special = blockOf({ ...tokens(["[CLS]", "[SEP]"]), special: [0, 1] }, null);
  const state = { pair: "All", hide: /** @type {const} */ ("special") };
  assert.deepEqual(Array.from(positionsOf(special, "query", state)), [0, 1], "not nothing");
});

test("whole rows are not filtered", () => {
  assert.deepEqual(
    [{ pair: "All" }, { pair: "A→A" }, { pair: "All", hide: "first" }].map((state) =>
      isFiltered(/** @type {any} */ (state)),
    ),
    [false, true, true],
  );
});

test("words begin at their first tokens, and their texts stand for them", () => {
  assert.deepEqual(Array.from(wordStarts(wordy)), [0, 0, 2, 3, 3]);
  assert.deepEqual(Array.from(wordStarts(tokens(["a", "b"]))), [0, 1]);
  assert.deepEqual(textOf(wordy, true), ["ab", "ab", "c", "de", "de"]);
  assert.equal(textOf(wordy, true), textOf(wordy, true), "made once");
  assert.deepEqual(textOf(wordy, false), [..."abcde"]);
  assert.deepEqual(textOf(tokens(["a"]), true), ["a"]);
});

test("words of one side alone are merged there; what is zero is not listed", () => {
  const plain = tokens(["x", "y"]);
  const dense = [
    [
      [0.5, 0.25, 0, 0, 0.25],
      [0, 0, 1, 0, 0],
    ],
  ];
  const cross = blockOf(plain, wordy, "cross");
  const weights = weightsOf([3], dense);
  const merged = regrouped(weights, cross, { heads: [3], words: true });
  assert.equal(keyCountOf(merged), 3);
  assert.equal(keyCountOf(weights), 5);
  assert.deepEqual(Array.from(merged.key), [0, 3, 2]);
  assert.deepEqual(Array.from(merged.weight), [0.75, 0.25, 1]);
  assert.equal(regrouped(weights, cross, { heads: [3], words: true }), merged, "made once");
  assert.equal(regrouped(weights, cross, { heads: [3] }), weights);
  const queries = weightsOf([3], [dense[0][0].map((_, q) => [q / 8, 1 - q / 8])]);
  const other = regrouped(queries, blockOf(wordy, plain, "cross"), { heads: [3], words: true });
  assert.deepEqual(Array.from(other.start), [0, 2, 2, 4, 6, 6]);
  assert.deepEqual(Array.from(other.weight), [1 / 16, 15 / 16, 1 / 4, 3 / 4, 7 / 16, 9 / 16]);
  const none = blockOf(plain, null);
  const two = weightsOf([3], [[[1, 0], [0, 1]]]); // prettier-ignore
  assert.equal(regrouped(two, none, { heads: [3], words: true }), two);
});

test("what kind of value a state key takes", () => {
  /** @type {[string, unknown[], unknown[]][]} */
  const table = [
    ["block", ["a", ""], [3, null]],
    ["layer", [0, -1], [0.5, "0", null]],
    ["heads", [[], [0]], ["01", { length: 1 }, null]],
    ["query", [null, 0], [undefined, 0.5, "0", []]],
    ["key", [null, 0], [undefined, 0.5, "0", []]],
    ["also", [[]], [null, 3]],
    ["mass", [0.5, 1], [null, "1"]],
    ["zoom", [null, [0, 1, 2, 3]], [[0, 1], [0, 1, 2, 3, 4], [0, 1, 2, 0.5], "0123", undefined]],
    ["cell", [null, [0, 1]], [[0], [0, 1, 2], [0, "1"], 0]],
    ["measure", [null, "a"], [undefined, 3]],
    ["off", [[]], [null, 3]],
    ["toString", [], [null, "a", 0, []]],
  ];
  for (const [name, right, wrong] of table) {
    for (const value of right) assert.equal(isOfItsKind(name, value), true, `${name}=${value}`);
    for (const value of wrong) assert.equal(isOfItsKind(name, value), false, `${name}=${value}`);
  }
});
