import assert from "node:assert/strict";
import { test } from "node:test";
import { SEVERAL } from "../../../bertviz/js/data/regroup.js";
import { describeAmong, describeCell } from "../../../bertviz/js/scenes/pair_texts.js";
import {
  attentionSentence,
  describeToken,
  headName,
} from "../../../bertviz/js/scenes/token_texts.js";
import { tokens } from "../fixtures.js";
import { pictureOf } from "../parts/pictures.js";

test("a token has its position, and the tokenizer's own string where that differs", () => {
  const own = { ...tokens(["the", "straw", "berries"]), raw: ["the", "Ġstraw", "berries"] };
  assert.equal(describeToken(own, 0), "the  (position 0)");
  assert.equal(describeToken(own, 1), "straw  (position 1, raw token Ġstraw)");
  const words = { ...own, words: { of: [0, 1, 1], text: ["the", "strawberries"] } };
  const text = ["the", "strawberries", "strawberries"];
  assert.equal(describeToken(words, 1, text), "strawberries  (positions 1 to 2)");
  assert.equal(describeToken(words, 0, text), "the  (position 0)");
});

test("heads that are drawn as one have a name, too", () => {
  const state = /** @type {any} */ ({ heads: [0, 3], combine: "mean" });
  assert.deepEqual([headName(3, state), headName(SEVERAL, state)], ["head 3", "mean of 2 heads"]);
});

test("sentences agree with their subject", () => {
  assert.equal(attentionSentence(["a"], true, ["b 0.50"]), "a attends to b 0.50");
  assert.equal(attentionSentence(["a", "c"], true, ["b 0.50"]), "a, c attend to b 0.50");
  assert.equal(attentionSentence(["a"], false, ["b 0.50"]), "a is attended to by b 0.50");
  assert.equal(attentionSentence(["a", "c"], false, ["b 0.50"]), "a, c are attended to by b 0.50");
});

test("with a locked token the others are described as pairs, from query to key", () => {
  const { picture, dense, state } = pictureOf({ heads: [0, 4], state: { query: 2 } });
  assert.equal(describeAmong(picture, state, "key", 3), "t3  (position 3)", "not yet locked");
  const locked = { ...state, locked: true };
  const lines = [0, 1].map((h) => `head ${[0, 4][h]}  ${dense[h][2][3].toFixed(4)}`);
  assert.equal(describeAmong(picture, locked, "key", 3), ["t2 → t3", ...lines].join("\n"));
  const key = { ...locked, query: null, key: 3 };
  assert.equal(describeAmong(picture, key, "query", 2), ["t2 → t3", ...lines].join("\n"));
  assert.equal(describeAmong(picture, locked, "query", 1), "t1  (position 1)");
});

test("a matrix cell is described by the mean of its heads; small weights are not listed", () => {
  const { picture, dense, state } = pictureOf({ heads: [0, 4], least: 0.3 });
  const [a, b] = [0, 1].map((h) => dense[h][2].map((w) => (w >= 0.3 ? w : null)));
  const key = a.findIndex((w, k) => w !== null && b[k] === null);
  assert.ok(key >= 0);
  const weight = /** @type {number} */ (a[key]);
  assert.equal(
    describeCell(picture, state, 2, key),
    [
      `t2 → t${key}  (2 → ${key})`,
      `mean  ${(weight / 2).toFixed(2)}`,
      `head 0  ${weight.toFixed(4)}`,
      "head 4  too small to be stored",
    ].join("\n"),
  );
});
