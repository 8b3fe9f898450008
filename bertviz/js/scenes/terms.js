// What the words of the views mean, in a sentence or two, as they are explained where they stand.

/** @typedef {keyof typeof TERMS} Term */

export const TERMS = {
  query: "The query is the vector with which a token looks for other tokens, a value per neuron.",
  key: "The key is the vector by which a token is found, a value per neuron.",
  product:
    "Each neuron of the query times the same neuron of the key, times the scale: its share of the score.",
  bias: "The bias is what the model adds to the score of a pair of positions, whatever the tokens are.",
  score:
    "The score says how well query and key match: the sum of the products, before softmax. " +
    "One more multiplies the weight by 2.7 relative to other keys.",
  softmax:
    "Softmax turns the scores of a row into weights: exp of each score, divided by their sum, so that they add up to 1.",
  "not drawn":
    "The weight of a row, a part of 1, that has no line of its own here: lines that Show leaves out, tokens that " +
    "are hidden, and weights too small to be kept in the page.",
};
