// The decoder of bertviz/payload.py, which describes the schema. What arrives as base64 of gzip
// leaves as typed arrays, one layer at a time and only when a picture needs it.

/**
 * @typedef {object} Tokens
 * @property {string[]} text for display
 * @property {string[] | null} raw the tokenizer's own, where they differ
 * @property {number[] | null} sentences of each token, if there are two
 * @property {{of: number[], text: string[]} | null} words of each token and their texts, where one
 *   has several pieces
 * @property {number[]} special positions
 */
/** @typedef {{chunk: number, listed: number, steps: number}} SparseRef */
/** @typedef {{chunk: number, offset: number, dtype: "f2" | "f4", shape: number[]}} ArrayRef */
/**
 * @typedef {object} NeuronRef
 * @property {ArrayRef} queries
 * @property {ArrayRef} keys
 * @property {number[]} keyHead
 * @property {number} scaling
 * @property {number | null} softcap
 * @property {number[] | number[][] | null} sinks per head, or per head and query
 * @property {boolean} causal
 * @property {boolean} rotary
 * @property {ArrayRef | null} bias
 */
/**
 * @typedef {object} Layer
 * @property {number} index
 * @property {string} name
 * @property {number[]} heads
 * @property {SparseRef | null} weights of a comparison, what b has more
 * @property {SparseRef | null} [less] of a comparison, what a has more
 * @property {NeuronRef | null} neurons
 */
/**
 * @typedef {object} Block
 * @property {string} name
 * @property {"encoder" | "decoder" | "cross"} kind
 * @property {Tokens} query
 * @property {Tokens | null} key
 * @property {Layer[]} layers
 */
/**
 * A number per head, as it was given: per block, layer and head, as the payload has them.
 * @typedef {object} MeasureRef
 * @property {string} name
 * @property {boolean} diverging
 * @property {(number | null)[][][]} values
 * @property {(number | null)[][][] | null} null what a head has by chance
 */
/**
 * @typedef {object} Payload
 * @property {number} version
 * @property {"head" | "model" | "neuron"} view
 * @property {"auto" | "light" | "dark"} theme
 * @property {{name: string | null, dtype: string, exactness: any}} model
 * @property {Block[]} blocks
 * @property {boolean} [difference] whether weights are those of b minus those of a
 * @property {MeasureRef[]} [measures]
 * @property {"here" | "left out" | "none"} [neurons] are queries and keys shipped?
 * @property {Explanation | null} [explanation] neuron view: which neurons make one of its heads
 * @property {Record<string, any>} state
 * @property {string[]} chunks
 */
/** @typedef {{block: string, layer: number, head: number, what: string, contributions: number[]}} Explanation */
/**
 * The listed weights of a layer. Row r = slot × queries + query, where slot counts the layer's
 * heads; its entries are start[r] to start[r + 1]. Weights are never below zero: where they are
 * differences, every head has two slots, its own for what b has more, and one under the number ~head
 * for what a has more.
 * @typedef {object} Weights
 * @property {number[]} heads
 * @property {number} queries
 * @property {number} keys
 * @property {Uint32Array} start
 * @property {Uint16Array} key
 * @property {Float32Array} weight
 * @property {Float32Array} hidden mass of each row that is not listed
 * @property {number} [keyCount] of keys that can be looked at, if not all
 */
/**
 * What the attention of a layer is computed from.
 * @typedef {object} Neurons
 * @property {number[]} heads
 * @property {number} queryCount
 * @property {number} keyCount
 * @property {number} headDim
 * @property {Float32Array} queries (heads, query, headDim)
 * @property {Float32Array} keys (key heads, key, headDim)
 * @property {number[]} keyHead per head, the row of keys it uses
 * @property {number} scaling
 * @property {number | null} softcap
 * @property {number[] | number[][] | null} sinks per head, or per head and query
 * @property {boolean} causal
 * @property {boolean} rotary queries and keys are as turned by their positions
 * @property {{data: Float32Array, shape: number[]} | null} bias
 */

export const VERSION = 1;

/** Reads a payload; decoded layers are kept. */
export class Source {
  /** @param {Payload} payload */
  constructor(payload) {
    if (payload.version !== VERSION) {
      throw new Error(
        `This output has version ${payload.version} of the data, its script reads ${VERSION}.`,
      );
    }
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
    if (!block) throw new Error(`There is no block "${name}" in this output.`);
    return block;
  }

  /**
   * @param {string} name
   * @param {number} index
   */
  layer(name, index) {
    const layer = this.block(name).layers.find((l) => l.index === index);
    if (!layer) throw new Error(`There is no layer ${index} in block "${name}" of this output.`);
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
            this.decoded.weights.set(layer, less ? withLess(more, less) : more);
          } else {
            throw new Error(`This output has no ${what} of layer ${layer.index}.`);
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
    const hidden = new Float32Array(bytes, 0, rows);
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
        weight[i] = (planes[2 * n + i] | (planes[3 * n + i] << 8)) / ref.steps;
      }
    }
    start[rows] = i;
    const keys = tokensOf(block, "key").text.length;
    return { heads: layer.heads, queries, keys, start, key, weight, hidden };
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

/**
 * What b has more and what a has more, as slots of one layer.
 * @param {Weights} more
 * @param {Weights} less
 * @returns {Weights}
 */
export function withLess(more, less) {
  const shift = more.weight.length;
  const start = new Uint32Array(more.start.length + less.start.length - 1);
  start.set(more.start);
  less.start.forEach((at, row) => (start[more.start.length - 1 + row] = shift + at));
  const key = new Uint16Array(shift + less.key.length);
  key.set(more.key);
  key.set(less.key, shift);
  /** @param {Float32Array} one @param {Float32Array} other */
  const joined = (one, other) => {
    const all = new Float32Array(one.length + other.length);
    all.set(one);
    all.set(other, one.length);
    return all;
  };
  return {
    ...more,
    heads: [...more.heads, ...less.heads.map((head) => ~head)],
    start,
    key,
    weight: joined(more.weight, less.weight),
    hidden: joined(more.hidden, less.hidden),
  };
}

/**
 * @param {Block} block
 * @param {"query" | "key"} side
 */
export function tokensOf(block, side) {
  return side === "key" && block.key ? block.key : block.query;
}

/** @param {string} text */
function fromBase64(text) {
  const native = /** @type {any} */ (Uint8Array).fromBase64; // browsers of 2025 and later
  if (native) return /** @type {Uint8Array<ArrayBuffer>} */ (native.call(Uint8Array, text));
  // A plain loop: Uint8Array.from with a callback takes ten times as long.
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
function gunzip(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** @param {Uint8Array} bytes of halves: the low ones of all, then the high ones */
function fromFloat16(bytes) {
  // The same bits further left, in a number whose exponent counts from 127 instead of 15; a power of
  // two makes up for that, for subnormal numbers too.
  const size = bytes.length / 2;
  const bits = new Uint32Array(size);
  const values = new Float32Array(bits.buffer);
  for (let i = 0; i < size; i++) {
    const half = bytes[i] | (bytes[size + i] << 8);
    bits[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    if ((half & 0x7c00) !== 0x7c00) values[i] *= 2 ** 112;
    else bits[i] |= 0x7f800000; // infinity, or not a number
  }
  return values;
}
