// The decoder of a payload. What arrives as base64 of gzip leaves as typed arrays, one layer at a
// time and only when a picture needs it.

import { fromBase64, fromFloat16, gunzip } from "./binary.js";
import { withLess } from "./differences.js";
import { tokensOf, VERSION } from "./schema.js";

/** @typedef {import("./schema.js").ArrayRef} ArrayRef */
/** @typedef {import("./schema.js").Block} Block */
/** @typedef {import("./schema.js").Layer} Layer */
/** @typedef {import("./schema.js").NeuronRef} NeuronRef */
/** @typedef {import("./schema.js").Neurons} Neurons */
/** @typedef {import("./schema.js").Payload} Payload */
/** @typedef {import("./schema.js").SparseRef} SparseRef */
/** @typedef {import("./schema.js").Weights} Weights */

const MOST_KEYS = 1 << 16; // positions are two bytes

/** Reads a payload; decoded layers are kept. */
export class Source {
  /** @param {Payload} payload */
  constructor(payload) {
    if (payload.version !== VERSION) {
      throw new Error(
        `This output has version ${payload.version} of the data, but its script reads version ${VERSION}.`,
      );
    }
    const keys = Math.max(0, ...payload.blocks.map((b) => tokensOf(b, "key").text.length));
    if (keys > MOST_KEYS) throw new Error(`${keys} key tokens are more than a page can show.`);
    this.payload = payload;
    /** A layer may have weights and neurons, each decoded when a view reads them. */
    this.decoded = {
      weights: /** @type {Map<Layer, Weights>} */ (new Map()),
      neurons: /** @type {Map<Layer, Neurons>} */ (new Map()),
    };
    /** @type {Map<number, Promise<ArrayBuffer>>} chunks that several layers share */
    this.shared = new Map();
  }

  /** @param {string} name */
  block(name) {
    const block = this.payload.blocks.find((b) => b.name === name);
    if (!block) throw new Error(`This output has no block "${name}".`);
    return block;
  }

  /**
   * @param {string} name
   * @param {number} index
   */
  layer(name, index) {
    const layer = this.block(name).layers.find((l) => l.index === index);
    if (!layer) throw new Error(`Block "${name}" of this output has no layer ${index}.`);
    return layer;
  }

  /**
   * @param {Layer} layer
   * @param {"weights" | "neurons"} what
   */
  has(layer, what) {
    return this.decoded[what].has(layer);
  }

  /**
   * @param {Layer} layer
   * @returns {Weights}
   */
  weights(layer) {
    return /** @type {Weights} */ (this.decoded.weights.get(layer));
  }

  /**
   * @param {Layer} layer
   * @returns {Neurons}
   */
  neurons(layer) {
    return /** @type {Neurons} */ (this.decoded.neurons.get(layer));
  }

  /**
   * Decodes the layers that are not decoded yet.
   * @param {Block} block
   * @param {Layer[]} layers
   * @param {"weights" | "neurons"} what
   */
  async ensure(block, layers, what) {
    await Promise.all(
      layers
        .filter((layer) => !this.has(layer, what))
        .map(async (layer) => {
          const { weights, neurons } = layer;
          if (what === "neurons" && neurons) {
            this.decoded.neurons.set(layer, await this.#decodeNeurons(layer, neurons));
          } else if (what === "weights" && weights) {
            const more = await this.#decodeWeights(block, layer, weights);
            const less = layer.less && (await this.#decodeWeights(block, layer, layer.less));
            const missing = layer.missing ? await this.#decodeMissing(layer.missing) : null;
            const { names } = this.payload;
            const all = less ? { ...withLess(more, less), names } : more;
            this.decoded.weights.set(layer, missing ? { ...all, missing } : all);
          } else {
            throw new Error(`This output has no ${what} for layer ${layer.index}.`);
          }
        }),
    );
  }

  /** @param {number} index */
  #chunk(index) {
    let bytes = this.shared.get(index);
    if (!bytes) {
      bytes = gunzip(fromBase64(this.payload.chunks[index]));
      this.shared.set(index, bytes);
    }
    return bytes;
  }

  /**
   * @param {Block} block
   * @param {Layer} layer
   * @param {SparseRef} ref
   * @returns {Promise<Weights>}
   */
  async #decodeWeights(block, layer, ref) {
    const bytes = await this.#chunk(ref.chunk);
    this.shared.delete(ref.chunk); // one layer only; the decoded arrays are all that is needed
    const queries = block.query.text.length;
    const rows = layer.heads.length * queries;
    const n = ref.listed;
    const { scale } = layer;
    const unit = (scale ?? 1) / ref.steps;
    const hidden = new Float32Array(bytes, 0, rows);
    if (scale !== undefined) for (let row = 0; row < rows; row++) hidden[row] *= scale;
    const counts = new Uint32Array(bytes, 4 * rows, rows);
    const planes = new Uint8Array(bytes, 8 * rows, 4 * n);
    const start = new Uint32Array(rows + 1);
    const key = new Uint16Array(n);
    const weight = new Float32Array(n);
    let i = 0;
    for (let row = 0; row < rows; row++) {
      start[row] = i;
      let column = 0;
      for (const end = i + counts[row]; i < end; i++) {
        column += planes[i] | (planes[n + i] << 8);
        key[i] = column;
        const value = planes[2 * n + i] | (planes[3 * n + i] << 8);
        weight[i] = scale === undefined ? value / ref.steps : value * unit;
      }
    }
    start[rows] = i;
    const keys = tokensOf(block, "key").text.length;
    const weights = { heads: layer.heads, queries, keys, start, key, weight, hidden };
    return scale === undefined ? weights : { ...weights, scale };
  }

  /** @param {{chunk: number}} ref */
  async #decodeMissing(ref) {
    const bytes = new Uint8Array(await this.#chunk(ref.chunk));
    this.shared.delete(ref.chunk);
    return bytes;
  }

  /**
   * @param {Layer} layer
   * @param {NeuronRef} ref
   * @returns {Promise<Neurons>}
   */
  async #decodeNeurons(layer, ref) {
    const [, queryCount, headDim] = ref.queries.shape;
    return {
      heads: layer.heads,
      queryCount,
      keyCount: ref.keys.shape[1],
      headDim,
      queries: await this.#array(ref.queries),
      keys: await this.#array(ref.keys),
      keyHead: ref.keyHead,
      scaling: ref.scaling,
      softcap: ref.softcap,
      sinks: ref.sinks,
      causal: ref.causal,
      rotary: ref.rotary,
      bias: ref.bias && { data: await this.#array(ref.bias), shape: ref.bias.shape },
    };
  }

  /** @param {ArrayRef} ref */
  async #array(ref) {
    const bytes = await this.#chunk(ref.chunk);
    const size = ref.shape.reduce((a, b) => a * b, 1);
    return ref.dtype === "f4"
      ? new Float32Array(bytes, ref.offset, size)
      : fromFloat16(new Uint8Array(bytes, ref.offset, 2 * size));
  }
}
