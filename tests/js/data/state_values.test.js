import assert from "node:assert/strict";
import { test } from "node:test";
import { plainChange } from "../../../bertviz/js/data/state_values.js";

const fail = () => {
  throw new Error("never read");
};
const changed = (/** @type {unknown} */ patch) => plainChange(patch, ["query", "heads", "zoom"]);

test("a change is a copy", () => {
  const heads = [0, 3];
  const plain = changed({ heads, query: 2, other: 1 });
  heads.push(5);
  assert.deepEqual(plain, { heads: [0, 3], query: 2 });
});

test("what cannot be read is no change", () => {
  const odd = [null, undefined, 1, "query", Symbol("x"), [1], new Map([["query", 1]]), fail];
  const traps = { get: fail, getOwnPropertyDescriptor: fail };
  for (const patch of [...odd, Object.create({ query: 1 }), new Proxy({}, traps)]) {
    assert.deepEqual(changed(patch), {}, typeof patch);
  }
  const half = Object.defineProperty({ query: 1 }, "heads", { get: fail, enumerable: true });
  assert.deepEqual(changed(half), { query: 1 });
});

test("lists are lists of numbers, whatever they say of themselves", () => {
  const own = Object.assign([1, "2", null], { filter: 1, map: fail, [Symbol.iterator]: fail });
  assert.deepEqual(changed({ heads: own }), { heads: [1, NaN, NaN] });
  for (const heads of [new Array(2 ** 32 - 1), new Float32Array(2), { length: 2 }, new Set([1])]) {
    assert.equal(changed({ heads, query: 1 }).heads, undefined);
  }
  assert.equal(changed({ heads: new Proxy([0], { get: fail }), query: 1 }).heads, undefined);
});
