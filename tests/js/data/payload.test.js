import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { fromBase64, fromFloat16 } from "../../../bertviz/js/data/binary.js";
import { Source } from "../../../bertviz/js/data/payload.js";
import { layerOf, payloadOf, tokens } from "../fixtures.js";

const KEYS = 700; // more than a byte holds
const [LOW, HIGH] = [(/** @type {number} */ n) => n & 0xff, (/** @type {number} */ n) => n >> 8];

/** @param {...(ArrayBuffer | number[])} parts */
function chunkOf(...parts) {
  const bytes = parts.map((part) => new Uint8Array(part));
  return gzipSync(Buffer.concat(bytes)).toString("base64");
}

/**
 * The chunk of sparse weights.
 * @param {number[]} hidden per row
 * @param {[key: number, value: number][][]} rows
 */
function listed(hidden, rows) {
  const deltas = rows.flatMap((row) => row.map(([key], i) => key - (i ? row[i - 1][0] : 0)));
  const values = rows.flat().map(([, value]) => value);
  const planes = [deltas.map(LOW), deltas.map(HIGH), values.map(LOW), values.map(HIGH)];
  const counts = Uint32Array.from(rows, (row) => row.length).buffer;
  return chunkOf(Float32Array.from(hidden).buffer, counts, ...planes);
}

/** @param {any[]} layers @param {string[]} chunks @param {any} [key] */
function blockOf(layers, chunks, key = tokens(new Array(KEYS).fill("b"))) {
  const block = { name: "cross", kind: "cross", query: tokens(["a", "b"]), key, layers };
  const source = new Source(payloadOf({ blocks: [block], chunks }));
  return { source, block: source.block("cross"), layers: source.block("cross").layers };
}

/** @type {[number, number][][]} of two heads */
const ROWS = [[[3, 500], [299, 1], [698, 256]], [], [[0, 7]], [[699, 65535]]]; // prettier-ignore
const HIDDEN = [0.25, 1, 0.5, 0];

test("listed weights and hidden mass are what was written, by layer", async () => {
  const layer = { ...layerOf(3, [2, 5]), weights: { chunk: 1, listed: 5, steps: 1000 } };
  const { source, block } = blockOf([layerOf(1, [0]), layer], ["", listed(HIDDEN, ROWS)]);
  const wanted = source.layer("cross", 3);
  assert.equal(source.has(wanted, "weights"), false);
  await source.ensure(block, [wanted], "weights");
  assert.equal(source.has(wanted, "weights"), true);
  assert.equal(source.has(wanted, "neurons"), false);
  const decoded = source.weights(wanted);
  assert.deepEqual(decoded, {
    heads: [2, 5],
    queries: 2,
    keys: KEYS,
    start: Uint32Array.of(0, 3, 3, 4, 5),
    key: Uint16Array.of(3, 299, 698, 0, 699),
    weight: Float32Array.of(0.5, 0.001, 0.256, 0.007, 65.535),
    hidden: Float32Array.from(HIDDEN),
  });
  assert.equal(source.shared.size, 0, "the chunk is not kept beside what was made of it");
  await source.ensure(block, [wanted], "weights");
  assert.equal(source.weights(wanted), decoded, "decoded once");
});

test("values are parts of their scale, with what is below zero and what is missing", async () => {
  const layer = {
    ...layerOf(0, [0, 1]),
    weights: { chunk: 0, listed: 5, steps: 1000 },
    less: { chunk: 1, listed: 1, steps: 1000 },
    missing: { chunk: 2, count: 1 },
    scale: 4,
  };
  const chunks = [listed(HIDDEN, ROWS), listed([0, 0, 0, 0.5], [[], [[2, 250]], [], []])];
  const { source, block, layers } = blockOf([layer], [...chunks, chunkOf([4, 9])]);
  await source.ensure(block, layers, "weights");
  const { heads, scale, start, key, weight, hidden, missing } = source.weights(layers[0]);
  assert.deepEqual([heads, scale], [[0, 1, ~0, ~1], 4]);
  assert.deepEqual(Array.from(start), [0, 3, 3, 4, 5, 5, 6, 6, 6]);
  assert.deepEqual(Array.from(key), [3, 299, 698, 0, 699, 2]);
  const parts = [2, 0.004, 1.024, 0.028, 262.14, 1].map(Math.fround);
  assert.deepEqual(Array.from(weight), parts);
  assert.deepEqual(Array.from(hidden), [1, 4, 2, 0, 0, 0, 0, 2]);
  assert.deepEqual(Array.from(missing ?? []), [4, 9]);
  assert.equal(source.shared.size, 0);
});

test("queries, keys and biases of both precisions; a bias that layers share is read once", async () => {
  const [queries, keys] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7)];
  const halves = [0x3c00, 0xfc00, 0xc000]; // 1, minus infinity, -2
  const array = (/** @type {number} */ chunk, /** @type {object} */ more) => ({ chunk, offset: 0, dtype: "f4", ...more }); // prettier-ignore
  const neurons = {
    queries: array(0, { shape: [2, 2, 1] }),
    keys: array(0, { shape: [1, 3, 1], offset: 16 }),
    bias: array(1, { shape: [1, 1, 3], dtype: "f2" }),
    ...{ keyHead: [0, 0], scaling: 0.5, softcap: 3, sinks: [1, 2], causal: true, rotary: true },
  };
  const both = [0, 1].map((index) => ({ ...layerOf(index, [4, 7]), neurons }));
  const chunks = [chunkOf(queries.buffer, keys.buffer), chunkOf(halves.map(LOW), halves.map(HIGH))];
  const { source, block, layers } = blockOf(both, chunks);
  await source.ensure(block, layers, "neurons");
  for (const layer of layers) {
    assert.deepEqual(source.neurons(layer), {
      ...{ heads: [4, 7], queryCount: 2, keyCount: 3, headDim: 1 },
      ...{ queries, keys, keyHead: [0, 0], scaling: 0.5, softcap: 3, sinks: [1, 2] },
      ...{ causal: true, rotary: true },
      bias: { data: Float32Array.of(1, -Infinity, -2), shape: [1, 1, 3] },
    });
  }
  assert.equal(source.shared.size, 2);
  assert.equal(source.neurons(layers[0]).queries.buffer, source.neurons(layers[1]).queries.buffer);
});

test("halves are read exactly: signs, subnormal numbers, infinity", () => {
  const halves = [0x0000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x3555, 0x7bff, 0x7c00, 0xfc00, 0x7c01];
  const bytes = Uint8Array.of(...halves.map(LOW), ...halves.map(HIGH));
  const [tiny, third] = [2 ** -24, 0x555 / 2 ** 12];
  const expected = [0, tiny, -tiny, 1023 * tiny, 2 ** -14, third, 65504, Infinity, -Infinity, NaN];
  assert.deepEqual(Array.from(fromFloat16(bytes)), expected);
});

test("base64 is read with the browser's own function where there is one", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const text = Buffer.from(bytes).toString("base64");
  const native = Object.getOwnPropertyDescriptor(Uint8Array, "fromBase64");
  try {
    for (const value of [
      undefined,
      (/** @type {string} */ given) => Buffer.from(given, "base64"),
    ]) {
      Object.defineProperty(Uint8Array, "fromBase64", { value, configurable: true });
      assert.deepEqual(Array.from(fromBase64(text)), Array.from(bytes));
    }
  } finally {
    if (native) Object.defineProperty(Uint8Array, "fromBase64", native);
    else delete (/** @type {any} */ (Uint8Array).fromBase64);
  }
});

test("what an output does not hold is named", async () => {
  const { source, block, layers } = blockOf([layerOf(4, [0])], []);
  assert.throws(() => source.block("encoder"), /This output has no block "encoder"/);
  assert.throws(() => source.layer("cross", 0), /Block "cross" of this output has no layer 0/);
  for (const what of /** @type {const} */ (["weights", "neurons"])) {
    await assert.rejects(source.ensure(block, layers, what), new RegExp(`no ${what} for layer 4`));
  }
  const older = payloadOf({ blocks: [], version: 7 });
  assert.throws(() => new Source(older), /has version 7 of the data, but its script reads/);
});

test("more keys than two bytes can number are refused, not drawn elsewhere", () => {
  const of = (/** @type {number} */ count) =>
    blockOf([], [], tokens(new Array(count).fill("b"))).source;
  assert.ok(of(65536));
  assert.throws(() => of(65537), /65537 key tokens are more/);
});
