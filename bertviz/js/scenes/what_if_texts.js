// What the neuron view shows that is not as in the model, in words.

import { format } from "d3-format";

/** @typedef {import("./neuron.js").NeuronScene} NeuronScene */

/**
 * What is not as in the model.
 * @param {NonNullable<NeuronScene["whatIf"]>} whatIf
 */
export function changeIn({ off: { length }, temperature }) {
  return [
    length ? `without ${length} neuron${length === 1 ? "" : "s"}` : "",
    temperature === 1 ? "" : `temperature ${shortTemperature(temperature)}`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** @type {(temperature: number) => string} */
export const shortTemperature = format(".2~f");
