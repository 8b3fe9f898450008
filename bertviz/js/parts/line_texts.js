// What a screen reader says of selected tokens: which tokens they attend to most.

import { chosenOf } from "../state.js";
import { writersOf } from "../data/formats.js";
import { attentionSentence, valueSentence } from "../scenes/token_texts.js";

/** @typedef {import("./lines.js").LinesPlot} LinesPlot */

const BEST = 3; // tokens that are spoken

/**
 * @param {LinesPlot} plot
 * @param {import("../state.js").State} state with a selected token
 */
export function sentenceOf(plot, state) {
  const forward = state.query !== null;
  const selected = chosenOf(state, forward ? "query" : "key");
  const { query, key } = plot.text;
  const [own, other] = forward ? [query, key] : [key, query];
  const texts = selected.map((position) => own[position]);
  const best = strongest(plot, other);
  if (plot.edges.scale !== undefined) return valueSentence(texts, forward, best);
  return attentionSentence(texts, forward, best);
}

/**
 * The rows with the largest means, as a token and its number.
 * @param {LinesPlot} plot
 * @param {string[]} text by position
 */
function strongest({ row: { means, positions }, edges }, text) {
  const write = writersOf(edges);
  return Array.from(positions.keys())
    .filter((r) => !Number.isNaN(means[r]))
    .sort((a, b) => Math.abs(means[b]) - Math.abs(means[a]))
    .slice(0, BEST)
    .map((r) => `${text[positions[r]]} ${write.short(means[r])}`);
}
