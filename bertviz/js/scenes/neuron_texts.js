// What the neuron view says beside its columns: notes, tooltips, and a sentence for screen readers.

import { exactScore, exactSigned, exactWeight, shortScore, shortWeight } from "../data/formats.js";
import { changeIn, shortTemperature } from "./what_if_texts.js";
import { massNote, rampOfLines } from "./legends.js";
import { attentionSentence, describeToken } from "./token_texts.js";
import { tokensOf } from "../data/schema.js";

/** @typedef {import("./neuron.js").NeuronScene} NeuronScene */
/** @typedef {import("../state.js").State} State */
/** @typedef {"query" | "key"} Side */

const NAMED = 6; // neurons that a note lists by number

/**
 * What the columns alone do not say.
 * @param {NeuronScene} scene
 * @param {State} state
 */
export function notesOf({ row, keys, neurons, whatIf, sharing }, state) {
  const parts = [];
  if (neurons.rotary) {
    const rotated = "q and k are shown after their rotary position embedding";
    parts.push(`${rotated}, as they enter the dot product.`);
  }
  if (sharing) {
    const heads = `Heads ${sharing[0]}–${sharing[sharing.length - 1]}`;
    parts.push(`${heads} share these keys; each has its own queries.`);
  }
  if (neurons.softcap) {
    parts.push(`Scores are capped: ${neurons.softcap} · tanh(Σ / ${neurons.softcap}).`);
  }
  if (whatIf) {
    const { off, temperature, moved } = whatIf;
    const changes = [
      off.length ? `Without ${listed(off)}` : "",
      temperature === 1 ? "" : `At temperature ${shortTemperature(temperature)}`,
    ].filter(Boolean);
    const change = changes.length > 1 ? `${changes[0]}, ${changes[1].toLowerCase()}` : changes[0];
    const part = moved > 0 && moved < 0.005 ? "less than 1" : Math.round(100 * moved);
    parts.push(`${change}, ${part}% of this row’s attention moves elsewhere.`);
  }
  if (neurons.sinks)
    parts.push(`The head’s attention sink takes ${shortWeight(row.sink)} of this row.`);
  if (state.pair !== "All") {
    let inside = 0;
    for (const position of keys) inside += row.weights[position];
    const all = row.weights.reduce((a, b) => a + b, 0);
    parts.push(`${shortWeight(Math.max(0, all - inside))} of this row lies outside ${state.pair}.`);
  }
  return parts.join(" ");
}

/**
 * Of the head as lines, as the closed view shows it.
 * @param {import("./picture.js").Picture} picture
 * @param {State} state
 */
export function closedLegend({ edges }, state) {
  return { legend: "weight", ...rampOfLines(edges), note: massNote(edges, state) };
}

/** @param {number[]} off */
function listed(off) {
  if (off.length > NAMED) return `${off.length} neurons`;
  if (off.length === 1) return `neuron ${off[0]}`;
  return `neurons ${off.slice(0, -1).join(", ")} and ${off[off.length - 1]}`;
}

/**
 * What a screen reader says of a locked query.
 * @param {NeuronScene} scene
 * @param {number[]} strengths by row of keys
 */
export function sentenceOf({ block, keys, query }, strengths) {
  const { text } = tokensOf(block, "key");
  const best = Array.from(keys.keys())
    .sort((a, b) => strengths[b] - strengths[a])
    .slice(0, 3)
    .map((r) => `${text[keys[r]]} ${shortWeight(strengths[r])}`);
  const own = tokensOf(block, "query").text[/** @type {number} */ (query)];
  return attentionSentence([own], true, best);
}

/**
 * A token's tooltip: the token, and of a key how its weight is computed.
 * @param {NeuronScene} scene
 * @param {number | null} query selected
 * @param {Side} side
 * @param {number} position
 */
export function tokenText({ block, row, whatIf }, query, side, position) {
  const own = describeToken(tokensOf(block, side), position);
  if (side === "query" || query === null) return own;
  const { sums, bias, scores, weights } = row;
  const parts = [
    `${tokensOf(block, "query").text[query]} → ${own}`,
    `Σ q×k·scale  ${exactSigned(sums[position])}`,
  ];
  if (bias[position]) parts.push(`bias  ${shortScore(bias[position])}`);
  parts.push(`score  ${exactScore(scores[position])}`);
  parts.push(`softmax  ${exactWeight(weights[position])}`);
  if (whatIf) {
    const score = exactScore(whatIf.scores[position]);
    const weight = exactWeight(whatIf.weights[position]);
    parts.push(`${changeIn(whatIf)}: ${score}, softmax ${weight}`);
  }
  return parts.join("\n");
}

/**
 * @typedef {object} Picked a neuron of a token
 * @property {string} name of the vectors that it is picked from
 * @property {"queries" | "keys" | "products"} column
 * @property {Side} side
 * @property {number} position
 * @property {number} neuron
 */

/**
 * A neuron's tooltip.
 * @param {NeuronScene} scene
 * @param {State} state
 * @param {Picked} picked
 */
export function neuronText(scene, { off }, { name, column, side, position, neuron }) {
  const { block, neurons, columns, contribution, explanation } = scene;
  const value = columns[column][position * neurons.headDim + neuron];
  const what = explanation ? explanation.what : "the row";
  return [
    `neuron ${neuron} of ${tokensOf(block, side).text[position]}`,
    `${name} = ${exactSigned(value)}`,
    `contribution to ${what} ${exactSigned(contribution[neuron])}`,
    off?.includes(neuron) ? "switched off; click to switch on" : "click to switch off",
  ].join("\n");
}
