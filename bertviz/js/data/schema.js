// The data that travels from Python to the page, in the form that bertviz/web/payload/schema.py
// defines, and what it is decoded to.

/**
 * @typedef {object} Tokens
 * @property {string[]} text for display
 * @property {string[] | null} raw the tokenizer's own, where they differ
 * @property {number[] | null} sentences of each token, if there are two
 * @property {{of: number[], text: string[]} | null} words of each token and their texts, where one
 *   has several tokens
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
 * @property {SparseRef | null} [less] of a comparison, what a has more; of signed values, those
 *   below zero
 * @property {number} [scale] of values that are not attention: the largest |value| of the layer
 * @property {{chunk: number, count: number} | null} [missing] of such values: which there are none of
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
 * @property {(string | null)[][][]} [labels] what its number is that of
 */
/**
 * @typedef {object} Payload
 * @property {number} version
 * @property {"head" | "model" | "neuron"} view
 * @property {"attention" | "signed" | "unnormalized"} [kind] what the numbers are
 * @property {"auto" | "light" | "dark"} theme
 * @property {{name: string | null, dtype: string, exactness: any,
 *   skipped?: Record<string, string>}} model
 * @property {Block[]} blocks
 * @property {boolean} [difference] whether weights are those of b minus those of a
 * @property {[string, string]} [names] what a and b are called
 * @property {MeasureRef[]} [measures]
 * @property {"here" | "left out" | "none"} [neurons] are queries and keys shipped?
 * @property {Explanation | null} [explanation] neuron view: which neurons make one of its heads
 * @property {Record<string, any>} state
 * @property {string[]} chunks
 */
/**
 * @typedef {object} Explanation which neurons make a head attend as it does
 * @property {string} block
 * @property {number} layer
 * @property {number} head
 * @property {string} what is explained
 * @property {number[]} contributions of each neuron
 */
/**
 * The listed weights of a layer. Row r = slot × queries + query, where slot counts the layer's
 * heads; its entries are start[r] to start[r + 1]. Weights are never below zero: where they are
 * differences, every head has two slots, its own for what b has more, and one under the number
 * ~head for what a has more. So it is where values have signs, with one for those below zero.
 * @typedef {object} Weights
 * @property {number[]} heads
 * @property {number} queries
 * @property {number} keys
 * @property {Uint32Array} start
 * @property {Uint16Array} key
 * @property {Float32Array} weight
 * @property {Float32Array} hidden mass of each row that is not listed
 * @property {number} [keyCount] of keys that can be looked at, if not all
 * @property {number} [scale] of values that are not attention: the largest of their sizes
 * @property {Uint8Array | null} [missing] a bit for every (head, query, key) that has no value
 * @property {[string, string]} [names] of differences: what a and b are called
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

/**
 * @param {Block} block
 * @param {"query" | "key"} side
 */
export function tokensOf(block, side) {
  return side === "key" && block.key ? block.key : block.query;
}
