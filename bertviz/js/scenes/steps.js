// One pair, step by step: the products added up, neuron by neuron, to the score; what softmax makes of
// it; and beside each number the model's own, where something was changed.

/** @typedef {import("./neuron.js").NeuronScene} NeuronScene */
/** @typedef {ReturnType<typeof stepsOf>} Steps */
/**
 * @typedef {object} Step a neuron's product, from what was added up before it
 * @property {number} neuron
 * @property {number} value 0 where it is switched off
 * @property {number} from
 * @property {number} to
 * @property {boolean} off
 */
/**
 * @typedef {object} Weighing how a score becomes a weight
 * @property {number} score
 * @property {number} largest of the scores of the row, and the sink's
 * @property {number} distance (score − largest) / temperature
 * @property {number} size exp of it
 * @property {number} sum of the sizes of the row
 * @property {number} weight size / sum
 */

/**
 * @param {NeuronScene} scene
 */
export function stepsOf(scene) {
  const { row, whatIf, shape, order, neurons } = scene;
  const key = scene.key !== null && scene.keys.includes(scene.key) ? scene.key : bestOf(scene);
  const off = new Set(whatIf?.off);
  let sum = 0;
  /** @type {Step[]} */
  const bars = Array.from({ length: shape.headDim }, (_, i) => {
    const neuron = order ? order[i] : i;
    const isOff = off.has(neuron);
    const value = isOff ? 0 : row.products[key * shape.headDim + neuron];
    const from = sum;
    return { neuron, value, from, to: (sum += value), off: isOff };
  });
  const shown = whatIf ?? { ...row, temperature: 1 };
  return {
    key,
    bars,
    sum,
    softcap: neurons.softcap ?? null,
    bias: row.bias[key],
    masked: row.scores[key] === -Infinity,
    temperature: shown.temperature,
    shown: weighingOf(shown.scores, row.sinkScore, key, shown.temperature),
    own: weighingOf(row.scores, row.sinkScore, key, 1),
    isChanged: Boolean(whatIf),
  };
}

/**
 * The key that the head looks at most, of those that are shown.
 * @param {NeuronScene} scene
 */
function bestOf({ keys, row }) {
  let best = keys[0];
  for (const key of keys) if (row.weights[key] > row.weights[best]) best = key;
  return best;
}

/**
 * @param {Float32Array} scores
 * @param {number} sink its score
 * @param {number} key
 * @param {number} temperature
 * @returns {Weighing}
 */
function weighingOf(scores, sink, key, temperature) {
  let largest = sink;
  for (const score of scores) if (score > largest) largest = score;
  const sizeOf = (/** @type {number} */ score) => Math.exp((score - largest) / temperature);
  let sum = sink === -Infinity ? 0 : sizeOf(sink);
  for (const score of scores) if (score !== -Infinity) sum += sizeOf(score);
  const score = scores[key];
  const distance = (score - largest) / temperature;
  const size = score === -Infinity ? 0 : Math.exp(distance);
  return { score, largest, distance, size, sum, weight: sum ? size / sum : 1 / scores.length };
}
